/* SPDX-License-Identifier: MIT */
/*
 * Tests the note from inside the process. It must be among the program headers and lead to all
 * loops, in any thread and after a fork.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/wait.h>

#include <belay.h>

#include "check.h"
#include "inspect/debug.h"
#include "switch/switch.h"

/* ---- finding the note ---- */

static uintptr_t descriptor;
static unsigned notes;

static void look_at_notes(const char *from, size_t size) {
        const char *end = from + size;

        while (from + sizeof(ElfW(Nhdr)) <= end) {
                const ElfW(Nhdr) *header = (const void *) from;
                const char *name = from + sizeof(*header),
                           *text = name + (header->n_namesz + 3) / 4 * 4;

                if (header->n_namesz == 6 && memcmp(name, "belay", 6) == 0 && header->n_type == 1) {
                        CHECK_EQ(header->n_descsz, sizeof(void *));
                        descriptor = (uintptr_t) text;
                        notes++;
                }
                from = text + (header->n_descsz + 3) / 4 * 4;
        }
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *data) {
        (void) size;
        (void) data;
        for (int i = 0; i < info->dlpi_phnum; i++)
                if (info->dlpi_phdr[i].p_type == PT_NOTE && info->dlpi_phdr[i].p_align <= 4)
                        look_at_notes((const char *) (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
                                      info->dlpi_phdr[i].p_memsz);
        return 0;
}

static const struct belay_debug_v1 *find(void) {
        intptr_t distance;

        dl_iterate_phdr(look_at_object, NULL);
        CHECK_EQ(notes, 1);
        memcpy(&distance, (const void *) descriptor, sizeof(distance));
        return (const struct belay_debug_v1 *) (descriptor + (uintptr_t) distance);
}

/* ---- contents ---- */

static const struct belay_debug_v1 *debug;

static const char *at(const void *base, uint16_t offset) {
        return (const char *) base + offset;
}

static const void *pointer_at(const void *base, uint16_t offset) {
        return *(const void *const *) at(base, offset);
}

static const void *first_loop(void) {
        return (const void *) (uintptr_t) __atomic_load_n(&debug->loops, __ATOMIC_ACQUIRE);
}

static unsigned count_loops(void) {
        unsigned count = 0;

        for (const void *loop = first_loop(); loop != NULL;
             loop = pointer_at(loop, debug->loop_next))
                count++;
        return count;
}

static int within(void *arg) {
        const void *loop = first_loop(), *slab = pointer_at(loop, debug->loop_slabs);
        const void *task = at(slab, debug->slab_tasks);

        (void) arg;
        CHECK(loop == belay_loop_self());
        CHECK(pointer_at(loop, debug->loop_next) == NULL);
        CHECK(pointer_at(loop, debug->loop_current) == belay_self());
        CHECK(pointer_at(loop, debug->loop_main) == belay_self());
        CHECK_EQ(*at(loop, debug->loop_running), 1);
        CHECK_EQ(*at(loop, debug->loop_is_virtual), 0);
        CHECK_EQ(*(const size_t *) at(loop, debug->loop_count), 1);
        CHECK(task == belay_self());
        CHECK_EQ(*at(task, debug->task_state), 3);
        CHECK_EQ(*at(at(slab, debug->slab_tasks), debug->task_size + debug->task_state), 0);
        CHECK_EQ(*(const uint64_t *) at(task, debug->task_id), belay_id(belay_self()));
        CHECK_STR(at(pointer_at(task, debug->task_name), debug->text_chars), "main");
        CHECK((const void *) &task > pointer_at(task, debug->task_stack_low));
        CHECK((const void *) &task < pointer_at(task, debug->task_stack_top));
        return 0;
}

/* Register numbers are those of each machine's ABI. */
static void saved_registers(void) {
#if defined(BLY_SWITCH_X86_64)
        static const uint16_t expected[32] = {
                [3] = BLY_SAVED_RBX,  [6] = BLY_SAVED_RBP,  [12] = BLY_SAVED_R12,
                [13] = BLY_SAVED_R13, [14] = BLY_SAVED_R14, [15] = BLY_SAVED_R15,
                [16] = BLY_SAVED_PC,
        };

        CHECK_EQ(debug->machine, EM_X86_64);
        for (int i = 0; i < 32; i++)
                CHECK_EQ(debug->saved[i], expected[i] != 0 ? expected[i] : BLY_ABSENT);
#elif defined(BLY_SWITCH_AARCH64)
        CHECK_EQ(debug->machine, EM_AARCH64);
        for (int i = 0; i < 19; i++)
                CHECK_EQ(debug->saved[i], BLY_ABSENT);
        for (int i = 19; i < 29; i++)
                CHECK_EQ(debug->saved[i], BLY_SAVED_X19 + 8 * (i - 19));
        CHECK_EQ(debug->saved[29], BLY_SAVED_X29);
        CHECK_EQ(debug->saved[30], BLY_SAVED_X30);
        CHECK_EQ(debug->saved[31], BLY_ABSENT);
        CHECK_EQ(debug->saved_d8, BLY_SAVED_D8);
#elif defined(BLY_SWITCH_RISCV64)
        CHECK_EQ(debug->machine, 243);
        for (int i = 0; i < 32; i++) {
                int expected = i == 1               ? BLY_SAVED_RA
                               : i == 8             ? BLY_SAVED_S0
                               : i == 9             ? BLY_SAVED_S1
                               : i >= 18 && i <= 27 ? BLY_SAVED_S2 + 8 * (i - 18)
                                                    : BLY_ABSENT;

                CHECK_EQ(debug->saved[i], expected);
        }
        CHECK_EQ(debug->saved_d8, BLY_ABSENT);
#else
        CHECK_EQ(debug->machine, 0);
        for (int i = 0; i < 32; i++)
                CHECK_EQ(debug->saved[i], BLY_ABSENT);
#endif
}

/* ---- loops of many threads ---- */

enum { THREADS = 4, ROUNDS = 300 };

static void *make_loops(void *arg) {
        (void) arg;
        for (int i = 0; i < ROUNDS; i++) {
                belay_loop *loops[3];

                for (int k = 0; k < 3; k++) {
                        loops[k] = belay_loop_new(NULL);
                        CHECK(loops[k] != NULL);
                }
                /* Closes a loop in the middle of the list, at its beginning and at its end. */
                CHECK_EQ(belay_loop_close(loops[(i + 1) % 3]), 0);
                CHECK_EQ(belay_loop_close(loops[i % 3]), 0);
                CHECK_EQ(belay_loop_close(loops[(i + 2) % 3]), 0);
        }
        return NULL;
}

/* Each change of the list begins and ends with an increment. */
static void sequence(void) {
        uint64_t before = debug->sequence;
        belay_loop *loops[5];

        for (uint64_t i = 0; i < 5; i++) {
                loops[i] = belay_loop_new(NULL);
                CHECK(loops[i] != NULL && first_loop() == loops[i]);
                CHECK_EQ(debug->sequence, before + 2 * (i + 1));
        }
        for (uint64_t i = 0; i < 5; i++) {
                CHECK_EQ(belay_loop_close(loops[i]), 0);
                CHECK_EQ(debug->sequence, before + 2 * (5 + i + 1));
        }
}

static void from_many_threads(void) {
        belay_loop *one = belay_loop_new(NULL);
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_create(&threads[i], NULL, make_loops, NULL), 0);
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(count_loops(), 1);
        CHECK(first_loop() == one);
        CHECK_EQ(debug->sequence % 2, 0);
        CHECK_EQ(belay_loop_close(one), 0);
        CHECK_EQ(count_loops(), 0);
}

/* ---- after a fork ---- */

static void after_fork(void) {
        belay_loop *parents = belay_loop_new(NULL);
        int status;
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0) {
                belay_loop *mine;

                CHECK(first_loop() == parents);
                CHECK(debug->pid != (uint32_t) getpid());
                mine = belay_loop_new(NULL);
                CHECK(first_loop() == mine);
                CHECK_EQ(count_loops(), 1);
                CHECK_EQ(debug->pid, getpid());
                /* The parent's loop is in no list of the child. */
                bly_debug_remove(parents);
                CHECK(first_loop() == mine);
                CHECK_EQ(count_loops(), 1);
                CHECK_EQ(belay_loop_close(mine), 0);
                _exit(0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        CHECK_EQ(count_loops(), 1);
        CHECK_EQ(belay_loop_close(parents), 0);
}

int main(void) {
        debug = find();
        CHECK((const void *) debug == (const void *) &belay_debug);
        CHECK_EQ(memcmp(debug->magic, "belaydbg", 8), 0);
        CHECK_EQ(debug->version, 1);
        CHECK_EQ(debug->pointer_size, sizeof(void *));
        CHECK_EQ(debug->pid, 0);
        CHECK_EQ(count_loops(), 0);
        saved_registers();

        CHECK_EQ(belay_run(within, NULL), 0);
        CHECK_EQ(debug->pid, getpid());
        CHECK_EQ(debug->note, descriptor);
        CHECK_EQ(count_loops(), 0);
        sequence();
        from_many_threads();
        after_fork();
        return 0;
}

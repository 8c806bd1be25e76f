/* SPDX-License-Identifier: MIT */
/*
 * Reads the tasks of another process, with docs/debug-format.md as its only source. It uses no
 * header and no symbols of the library, and does not stop the process.
 *
 *      reader PID              prints loops and tasks
 *      reader PID NAME         prints what gdb needs to show the stack of that task
 */
#define _GNU_SOURCE
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* As in docs/debug-format.md. */
enum { ABSENT = 0xffff };
enum { FREE, FUTURE, NEW, READY, WAITING, DONE };
enum { TIMEOUT, GROUP, SHIELD };
enum { TIMER_HEAP = 1 };

struct belay_debug_v1 {
        char magic[8];
        uint32_t version;
        uint32_t size;
        uint16_t pointer_size;
        uint16_t machine;
        uint32_t pid;
        uint64_t note;
        uint64_t sequence;
        uint64_t loops;
        uint16_t link_next;
        uint16_t loop_size, loop_next, loop_current, loop_main, loop_slabs, loop_now,
                loop_is_virtual;
        uint16_t loop_running, loop_count, loop_tid, loop_heap;
        uint16_t deadline_size, deadline_when;
        uint16_t slab_next, slab_count, slab_tasks;
        uint16_t task_size, task_state, task_must_cancel, task_flags, task_sp, task_loop, task_wait;
        uint16_t task_place, task_requests, task_held, task_shield, task_outcome, task_timer_index,
                task_timer_state;
        uint16_t task_origin, task_origin_held, task_observers, task_owner, task_owned, task_scope;
        uint16_t task_stack_low, task_stack_top, task_name, task_started_at, task_id, task_since;
        uint16_t origin_sender, origin_place, origin_name, origin_reason, origin_when, origin_kind,
                origin_signal;
        uint16_t wait_class, class_what;
        uint16_t text_chars;
        uint16_t scope_outer, scope_task, scope_place, scope_kind, scope_state, scope_depth,
                scope_when;
        uint16_t group_owner, group_wait, group_name, group_limit, group_count, group_failed,
                group_exiting;
        uint16_t group_aborting, owner_members;
        uint16_t saved_size, saved_pc, saved_fp;
        uint16_t saved[32];
        uint16_t saved_d8;
};

static pid_t pid;
static struct belay_debug_v1 d;
static uint64_t debug_at;

static void fail(const char *why) {
        fprintf(stderr, "%s\n", why);
        exit(1);
}

/* ---- memory of the other process ---- */

static bool try_read(uint64_t address, void *to, size_t size) {
        struct iovec mine = { to, size }, theirs = { (void *) (uintptr_t) address, size };

        return process_vm_readv(pid, &mine, 1, &theirs, 1, 0) == (ssize_t) size;
}

static uint64_t number(uint64_t address, size_t size) {
        uint64_t value = 0;

        if (!try_read(address, &value, size)) {
                fprintf(stderr, "no memory at %#llx\n", (unsigned long long) address);
                exit(1);
        }
        return value;
}

static uint64_t pointer(uint64_t address) {
        return number(address, 8);
}

/* Returns a string of the other process, or "-" for none. It stays valid until 7 more calls. */
static const char *string(uint64_t address) {
        static char texts[8][200];
        static int turn;
        char *text = texts[turn++ % 8];
        size_t length = 0;

        if (address == 0)
                return "-";
        while (length < sizeof(texts[0]) - 1 && try_read(address + length, text + length, 1)
               && text[length] != '\0')
                length++;
        text[length] = '\0';
        return text;
}

static const char *text_of(uint64_t text) {
        return text != 0 ? string(text + d.text_chars) : "-";
}

/* ---- the note ---- */

static bool note_leads(uint64_t address, uint64_t size) {
        uint64_t end = address + size;

        while (address + sizeof(Elf64_Nhdr) <= end) {
                Elf64_Nhdr header;
                uint64_t name = address + sizeof(header), descriptor;
                char text[8] = { 0 };

                if (!try_read(address, &header, sizeof(header)))
                        return false;
                descriptor = name + (header.n_namesz + 3) / 4 * 4;
                if (header.n_namesz == 6 && header.n_type == 1 && header.n_descsz == 8
                    && try_read(name, text, 6) && strcmp(text, "belay") == 0) {
                        debug_at = descriptor + pointer(descriptor);
                        return try_read(debug_at, &d, sizeof(d));
                }
                address = descriptor + (header.n_descsz + 3) / 4 * 4;
        }
        return false;
}

/* Searches the program headers of a file that is mapped from its beginning at `start`. */
static bool look_into(uint64_t start) {
        Elf64_Ehdr header;
        Elf64_Phdr program;
        uint64_t bias = 0;

        if (!try_read(start, &header, sizeof(header))
            || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
                return false;
        for (int pass = 0; pass < 2; pass++)
                for (int i = 0; i < header.e_phnum; i++) {
                        uint64_t address = start + header.e_phoff + (uint64_t) i * sizeof(program);

                        if (!try_read(address, &program, sizeof(program)))
                                return false;
                        if (pass == 0 && program.p_type == PT_LOAD && program.p_offset == 0)
                                bias = start - program.p_vaddr;
                        if (pass == 1 && program.p_type == PT_NOTE
                            && note_leads(bias + program.p_vaddr, program.p_memsz))
                                return true;
                }
        return false;
}

static void find_note(void) {
        char path[64], line[4096];
        FILE *maps;
        bool found = false;

        snprintf(path, sizeof(path), "/proc/%d/maps", (int) pid);
        maps = fopen(path, "r");
        if (maps == NULL)
                fail("no such process");
        while (!found && fgets(line, sizeof(line), maps) != NULL) {
                unsigned long long start, end, offset;

                if (sscanf(line, "%llx-%llx %*s %llx", &start, &end, &offset) == 3 && offset == 0)
                        found = look_into(start);
        }
        fclose(maps);
        if (!found)
                fail("no note");
        if (memcmp(d.magic, "belaydbg", 8) != 0 || d.version != 1 || d.pointer_size != 8
            || d.size < offsetof(struct belay_debug_v1, saved_d8) + 2)
                fail("the note leads to something else");
}

/* Returns whether an address lies in code. */
static bool in_code(uint64_t address) {
        char path[64], line[4096];
        bool found = false;
        FILE *maps;

        snprintf(path, sizeof(path), "/proc/%d/maps", (int) pid);
        maps = fopen(path, "r");
        while (!found && maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
                unsigned long long start, end;
                char rights[8];

                if (sscanf(line, "%llx-%llx %7s", &start, &end, rights) == 3)
                        found = address >= start && address < end && rights[2] == 'x';
        }
        if (maps != NULL)
                fclose(maps);
        return found;
}

/* ---- walks ---- */

/* Calls fn for each record in use until it returns true. Returns that record, or 0. */
static uint64_t each_task(uint64_t loop, bool (*fn)(uint64_t task, uint64_t what), uint64_t what) {
        for (uint64_t slab = pointer(loop + d.loop_slabs); slab != 0;
             slab = pointer(slab + d.slab_next)) {
                uint64_t count = pointer(slab + d.slab_count);

                for (uint64_t i = 0; i < count; i++) {
                        uint64_t task = slab + d.slab_tasks + i * d.task_size;

                        if (number(task + d.task_state, 1) != FREE && fn(task, what))
                                return task;
                }
        }
        return 0;
}

static bool stack_has(uint64_t task, uint64_t address) {
        return address >= pointer(task + d.task_stack_low)
               && address < pointer(task + d.task_stack_top);
}

static void print_label(uint64_t task) {
        if (pointer(task + d.task_name) != 0)
                printf("%s", text_of(pointer(task + d.task_name)));
        else
                printf("#%llu", (unsigned long long) pointer(task + d.task_id));
}

static void print_scopes(uint64_t task) {
        static const char *const kinds[] = { "timeout", "group", "shield" };

        for (uint64_t scope = pointer(task + d.task_scope); scope != 0;
             scope = pointer(scope + d.scope_outer)) {
                unsigned kind = (unsigned) number(scope + d.scope_kind, 1);

                printf(" {%s", kind <= SHIELD ? kinds[kind] : "?");
                if (kind == GROUP) {
                        uint64_t list = scope + d.group_owner + d.owner_members, link;

                        printf(" %s:", string(pointer(scope + d.group_name)));
                        for (link = pointer(list + d.link_next); link != list;
                             link = pointer(link + d.link_next)) {
                                printf(" ");
                                print_label(link - d.task_owned);
                        }
                } else {
                        int64_t now = (int64_t) pointer(pointer(task + d.task_loop) + d.loop_now);

                        printf(" %lld s",
                               (long long) (((int64_t) pointer(scope + d.scope_when) - now)
                                            / 1000000000));
                }
                printf("}");
        }
}

/* A task that waits for the end of another has an observer on its own stack. */
static void print_awaiters(uint64_t loop, uint64_t task) {
        uint64_t list = task + d.task_observers;

        for (uint64_t link = pointer(list + d.link_next); link != list;
             link = pointer(link + d.link_next)) {
                uint64_t awaiter = each_task(loop, stack_has, link);

                if (awaiter != 0) {
                        printf(" awaited-by=");
                        print_label(awaiter);
                }
        }
}

static void print_wait(uint64_t loop, uint64_t task) {
        uint64_t class = pointer(pointer(task + d.task_wait) + d.wait_class),
                 sp = pointer(task + d.task_sp);
        int64_t now = (int64_t) pointer(loop + d.loop_now);

        printf(" what=\"%s\" place=%s", string(pointer(class + d.class_what)),
               string(pointer(task + d.task_place)));
        printf(" since=%lldms",
               (long long) ((now - (int64_t) pointer(task + d.task_since)) / 1000000));
        if (number(task + d.task_timer_state, 1) == TIMER_HEAP) {
                uint64_t entry = pointer(loop + d.loop_heap)
                                 + pointer(task + d.task_timer_index) * d.deadline_size;

                printf(" left=%llds",
                       (long long) (((int64_t) pointer(entry + d.deadline_when) - now)
                                    / 1000000000));
        }
        if (d.machine != 0 && (!stack_has(task, sp) || !in_code(pointer(sp + d.saved_pc))))
                fail("a suspended task has no stack");
}

static bool print_task(uint64_t task, uint64_t loop) {
        static const char *const states[] = { "free", "future", "new", "ready", "waiting", "done" };
        unsigned state = (unsigned) number(task + d.task_state, 1);
        unsigned requests = (unsigned) number(task + d.task_requests, 4);
        unsigned held = (unsigned) number(task + d.task_held, 4);
        uint64_t origin = task + d.task_origin;

        printf("task ");
        print_label(task);
        printf(" %s started=%s", state <= DONE ? states[state] : "?",
               string(pointer(task + d.task_started_at)));
        if (state == WAITING)
                print_wait(loop, task);
        if (requests > 0) {
                printf(" requests=%u held=%u by=%u", requests, held,
                       (unsigned) number(origin + d.origin_kind, 1));
                printf(" asker=%s/%llu reason=%s", text_of(pointer(origin + d.origin_name)),
                       (unsigned long long) pointer(origin + d.origin_sender),
                       text_of(pointer(origin + d.origin_reason)));
        }
        print_scopes(task);
        print_awaiters(loop, task);
        printf("\n");
        return false;
}

/* ---- registers ---- */

static bool has_name(uint64_t task, uint64_t name) {
        return strcmp(text_of(pointer(task + d.task_name)), (const char *) (uintptr_t) name) == 0;
}

static void print_registers(uint64_t task) {
        static const char *const of_x86_64[] = {
                [3] = "rbx", [6] = "rbp", [12] = "r12", [13] = "r13", [14] = "r14", [15] = "r15",
        };
        uint64_t sp = pointer(task + d.task_sp);

        for (unsigned i = 0; i < 31; i++) {
                if (d.saved[i] == ABSENT || pointer(sp + d.saved[i]) == pointer(sp + d.saved_pc))
                        continue;
                if (d.machine == EM_X86_64 && i < sizeof(of_x86_64) / sizeof(*of_x86_64)
                    && of_x86_64[i] != NULL)
                        printf("set $%s = %#llx\n", of_x86_64[i],
                               (unsigned long long) pointer(sp + d.saved[i]));
                else if (d.machine == EM_AARCH64 || d.machine == EM_RISCV)
                        printf("set $x%u = %#llx\n", i,
                               (unsigned long long) pointer(sp + d.saved[i]));
        }
        printf("set $sp = %#llx\nset $pc = %#llx\n", (unsigned long long) sp + d.saved_size,
               (unsigned long long) pointer(sp + d.saved_pc));
}

/* ---- the program ---- */

static uint64_t sequence(void) {
        return pointer(debug_at + offsetof(struct belay_debug_v1, sequence));
}

int main(int argc, char **argv) {
        unsigned loops = 0;
        uint64_t before;

        if (argc < 2)
                fail("usage: reader PID [NAME]");
        pid = atoi(argv[1]);
        find_note();
        if (d.pid != (uint32_t) pid)
                fail("whose loops are these?");
        if (argc > 2 && d.machine == 0) {
                fprintf(stderr, "nothing saved to unwind from\n");
                return 77;
        }
        before = sequence();
        for (uint64_t loop = pointer(debug_at + offsetof(struct belay_debug_v1, loops)); loop != 0;
             loop = pointer(loop + d.loop_next)) {
                uint64_t task;

                if (argc == 2) {
                        printf("loop tasks=%llu running=%u virtual=%u main=",
                               (unsigned long long) pointer(loop + d.loop_count),
                               (unsigned) number(loop + d.loop_running, 1),
                               (unsigned) number(loop + d.loop_is_virtual, 1));
                        print_label(pointer(loop + d.loop_main));
                        printf("\n");
                        each_task(loop, print_task, loop);
                } else if (loops == 0) {
                        task = each_task(loop, has_name, (uint64_t) (uintptr_t) argv[2]);
                        if (task == 0)
                                fail("no such task");
                        print_registers(task);
                }
                loops++;
        }
        if ((before & 1) || sequence() != before)
                fail("the list of loops changed meanwhile");
        if (argc == 2)
                printf("loops=%u\n", loops);
        return 0;
}

// SPDX-License-Identifier: MIT

// The scheduler work of belay-bench on Boost.Fiber, one thread with the
// round_robin algorithm; the caller pins the process.
//
//     fiber-bench NAME...    prints "NAME VALUE UNIT" for each
//     fiber-bench --list     prints the names
//
// The figures of one sleepers-N group come from one pass over N fibers that is
// the first in the process ("cold") only if no other figure was named before.
// Boost.Fiber has no timeout around a block of code, so there is no "timeout".
// It has no cancellation either: each sleeper waits with a deadline on a
// condition variable of its own, and a flag cancels it.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/fiber/all.hpp>

namespace fibers = boost::fibers;
using clock_type = std::chrono::steady_clock;
using figure_map = std::map<std::string, double>;

static constexpr double round_ns = 150e6;
static constexpr int rounds = 3;
static constexpr long batch = 1000;

// Stacks come from a pool, which is faster than one malloc a fiber. The work
// here takes 6.2 KiB of a stack, most of it to unwind at the fiber's end. Stacks
// therefore have 8 KiB instead of the default 128 KiB, so a million fit into
// memory. The pool grows by 1,024 stacks at a time, because doubling would touch
// stacks that no fiber uses.
static fibers::pooled_fixedsize_stack stacks { 8 * 1024, 1024, 1024 };

template <typename F> static fibers::fiber spawn(F &&f) {
        return fibers::fiber(fibers::launch::post, std::allocator_arg, stacks, std::forward<F>(f));
}

static double since(clock_type::time_point start) {
        return std::chrono::duration<double, std::nano>(clock_type::now() - start).count();
}

static double median(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
}

// Runs f in two fibers and waits for both.
template <typename F> static void pair(F f) {
        fibers::fiber first = spawn(f), second = spawn(f);
        first.join();
        second.join();
}

static void yields(long n) {
        pair([n] {
                for (long i = 0; i < n / 2; i++)
                        boost::this_fiber::yield();
        });
}

template <int depth> [[gnu::noinline]] static void deep() {
        if constexpr (depth == 1)
                boost::this_fiber::yield();
        else
                deep<depth - 1>();
        asm volatile(""); // no tail call
}

static void yields_deep(long n) {
        pair([n] {
                for (long i = 0; i < n / 2; i++)
                        deep<8>();
        });
}

static void spawn_await(long n) {
        for (long i = 0; i < n; i++)
                spawn([] {}).join();
}

static void spawn_batch(long n) {
        std::vector<fibers::fiber> tasks;
        tasks.reserve(batch);
        for (long i = 0; i < n; i += batch) {
                for (long j = 0; j < batch; j++)
                        tasks.push_back(spawn([] {}));
                for (fibers::fiber &task : tasks)
                        task.join();
                tasks.clear();
        }
}

// The fiber that unlocks may take the mutex again before the fiber that it woke.
// Only a second yield makes the two take turns.
static void lock_handover(long n) {
        fibers::mutex mutex;
        pair([&mutex, n] {
                for (long i = 0; i < n / 2; i++) {
                        mutex.lock();
                        boost::this_fiber::yield();
                        mutex.unlock();
                        boost::this_fiber::yield();
                }
        });
}

// A buffered_channel's size is a power of two, and one slot stays empty. So a
// size of 2 holds 1 item, and 64 holds 63.
template <int size> static void queue(long n) {
        fibers::buffered_channel<long> items { size };
        fibers::fiber putter = spawn([&items, n] {
                for (long i = 0; i < n; i++)
                        items.push(i);
        });
        for (long i = 0; i < n; i++)
                items.value_pop();
        putter.join();
}

// The process's memory with its page tables.
static double resident_bytes() {
        std::ifstream status("/proc/self/status");
        double sum = 0;
        for (std::string line; std::getline(status, line);)
                if (line.rfind("VmRSS:", 0) == 0 || line.rfind("VmPTE:", 0) == 0)
                        sum += std::strtod(line.c_str() + 6, nullptr) * 1024;
        return sum;
}

struct sleeper {
        fibers::mutex mutex;
        fibers::condition_variable wake;
        bool cancelled = false;
};

// Creates n sleeping fibers, cancels them and joins them.
static figure_map pass(long n) {
        figure_map figures;
        const double memory = resident_bytes();
        long asleep = 0, ended = 0;

        auto start = clock_type::now();
        std::vector<sleeper> sleepers(n);
        std::vector<fibers::fiber> tasks;
        tasks.reserve(n);
        for (sleeper &self : sleepers)
                tasks.push_back(spawn([&self, &asleep, &ended] {
                        std::unique_lock<fibers::mutex> lock(self.mutex);
                        asleep++;
                        self.wake.wait_until(lock, clock_type::now() + std::chrono::hours(1),
                                             [&self] { return self.cancelled; });
                        ended++;
                }));
        while (asleep < n)
                boost::this_fiber::yield();
        figures["create"] = since(start) / n;

        figures["bytes"] = (resident_bytes() - memory) / n;

        start = clock_type::now();
        for (sleeper &each : sleepers) {
                each.cancelled = true;
                each.wake.notify_one();
        }
        figures["request"] = since(start) / n;
        start = clock_type::now();
        while (ended < n)
                boost::this_fiber::yield();
        figures["run"] = since(start) / n;
        start = clock_type::now();
        for (fibers::fiber &task : tasks)
                task.join();
        tasks.clear(); // gives the stacks back
        figures["reap"] = since(start) / n;
        figures["cancel"] = figures["request"] + figures["run"] + figures["reap"];
        return figures;
}

static const char *const sleeper_figures[] = {
        "create", "request", "run", "reap", "cancel", "create-warm", "bytes",
};

// All figures but create-warm come from the first pass, which is the cold one.
static figure_map sleep(long n, int warm_passes) {
        figure_map figures = pass(n);
        std::vector<double> warm;
        for (int i = 0; i < warm_passes; i++)
                warm.push_back(pass(n)["create"]);
        figures["create-warm"] = median(warm);
        return figures;
}

// Finds how many operations fill a round, which also warms up, and returns the
// nanoseconds of one.
static double measure(void (*op)(long)) {
        const auto timed = [op](long n) {
                const auto start = clock_type::now();
                op(n);
                return since(start);
        };
        long n = batch;
        double took = timed(n);
        while (took < round_ns / 4) {
                n *= 2;
                took = timed(n);
        }
        n = static_cast<long>(n * round_ns / took) / batch * batch + batch;
        std::vector<double> each;
        for (int i = 0; i < rounds; i++)
                each.push_back(timed(n) / n);
        return median(each);
}

static const struct {
        const char *name;
        void (*op)(long);
} figures[] = {
        { "yield", yields },
        { "yield-deep", yields_deep },
        { "spawn-await", spawn_await },
        { "spawn-batch", spawn_batch },
        { "lock-handover", lock_handover },
        { "queue-1", queue<2> },
        { "queue", queue<64> },
};

static struct {
        long n;
        int warm_passes;
        figure_map got;
} groups[] = { { 100000, 3, {} }, { 1000000, 1, {} } };

static std::string sleeper_name(long n, const char *figure) {
        return "sleepers-" + std::to_string(n) + "-" + figure;
}

static bool run(const std::string &name) {
        for (const auto &figure : figures) {
                if (name != figure.name)
                        continue;
                std::printf("%s %.1f ns\n", figure.name, measure(figure.op));
                return true;
        }
        for (auto &group : groups) {
                for (const std::string figure : sleeper_figures) {
                        if (name != sleeper_name(group.n, figure.c_str()))
                                continue;
                        if (group.got.empty())
                                group.got = sleep(group.n, group.warm_passes);
                        std::printf("%s %.1f %s\n", name.c_str(), group.got[figure],
                                    figure == "bytes" ? "B" : "ns");
                        return true;
                }
        }
        return false;
}

static void list() {
        for (const auto &figure : figures)
                std::puts(figure.name);
        for (const auto &group : groups)
                for (const char *figure : sleeper_figures)
                        std::puts(sleeper_name(group.n, figure).c_str());
}

int main(int argc, char **argv) {
        fibers::use_scheduling_algorithm<fibers::algo::round_robin>();
        for (int i = 1; i < argc; i++) {
                const std::string arg = argv[i];
                if (arg == "--plain") {
                        continue; // the only output there is
                } else if (arg == "--list") {
                        list();
                } else if (!run(arg)) {
                        std::fprintf(stderr, "fiber-bench: no figure named %s\n", argv[i]);
                        return 2;
                }
        }
        return 0;
}

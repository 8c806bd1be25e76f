// SPDX-License-Identifier: MIT

// The scheduler work of belay-bench in Go: goroutines, channels, sync.Mutex
// and time.Timer, all on one P (GOMAXPROCS(1)); the caller pins the process.
// The collector keeps its defaults: it is a part of what a goroutine costs.
//
//	go-bench NAME...    prints "NAME VALUE UNIT" for each
//	go-bench --list     prints the names
//
// The figures of one sleepers-N group come from one pass over N tasks that is
// the first in the process ("cold") only if no other figure was named before.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname
)

const (
	roundTime = 150 * time.Millisecond
	rounds    = 3
	batch     = 1000
)

// The runtime would preempt a loop of a million cancellations every 10 ms and
// run the tasks cancelled so far, which would mix "request" and "run". A pin to
// its P prevents that. The sum stays the same.
//
//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// pair runs f in two goroutines and waits for both.
func pair(f func()) {
	var wg sync.WaitGroup
	wg.Add(2)
	for i := 0; i < 2; i++ {
		go func() {
			f()
			wg.Done()
		}()
	}
	wg.Wait()
}

func yield(n int) {
	pair(func() {
		for i := 0; i < n/2; i++ {
			runtime.Gosched()
		}
	})
}

//go:noinline
func deep1() int { runtime.Gosched(); return 1 }

//go:noinline
func deep2() int { return deep1() + 1 }

//go:noinline
func deep3() int { return deep2() + 1 }

//go:noinline
func deep4() int { return deep3() + 1 }

//go:noinline
func deep5() int { return deep4() + 1 }

//go:noinline
func deep6() int { return deep5() + 1 }

//go:noinline
func deep7() int { return deep6() + 1 }

//go:noinline
func deep8() int { return deep7() + 1 }

func yieldDeep(n int) {
	pair(func() {
		for i := 0; i < n/2; i++ {
			deep8()
		}
	})
}

// Each task sends once to a channel here, and spawnBatch below has a WaitGroup.
// Each is the faster of the two for its figure.
func spawnAwait(n int) {
	done := make(chan struct{}, 1)
	task := func() { done <- struct{}{} }
	for i := 0; i < n; i++ {
		go task()
		<-done
	}
}

func spawnBatch(n int) {
	var wg sync.WaitGroup
	task := wg.Done
	for i := 0; i < n; i += batch {
		wg.Add(batch)
		for j := 0; j < batch; j++ {
			go task()
		}
		wg.Wait()
	}
}

// sync.Mutex lets the goroutine that unlocks take the lock again before the
// goroutine that it woke, until that one has starved for 1 ms. Only a second
// yield makes the two take turns.
func lockHandover(n int) {
	var mu sync.Mutex
	pair(func() {
		for i := 0; i < n/2; i++ {
			mu.Lock()
			runtime.Gosched()
			mu.Unlock()
			runtime.Gosched()
		}
	})
}

func queue(capacity int) func(int) {
	return func(n int) {
		items := make(chan int, capacity)
		go func() {
			for i := 0; i < n; i++ {
				items <- i
			}
		}()
		for i := 0; i < n; i++ {
			<-items
		}
	}
}

func timeoutReset(n int) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for i := 0; i < n; i++ {
		timer.Reset(time.Hour)
		timer.Stop()
	}
}

func timeoutNew(n int) {
	for i := 0; i < n; i++ {
		time.NewTimer(time.Hour).Stop()
	}
}

func timeoutContext(n int) {
	for i := 0; i < n; i++ {
		_, cancel := context.WithTimeout(context.Background(), time.Hour)
		cancel()
	}
}

var errCancelled = errors.New("cancelled")

// sleeper is one task asleep: its own channel to cancel it, and its outcome.
type sleeper struct {
	cancel  chan struct{}
	outcome error
}

type sleepers struct {
	tasks  []sleeper
	asleep atomic.Int64
	all    chan struct{} // the last task that falls asleep closes it
	ended  sync.WaitGroup
}

func (s *sleepers) sleep(task *sleeper) {
	timer := time.NewTimer(time.Hour)
	if s.asleep.Add(1) == int64(len(s.tasks)) {
		close(s.all)
	}
	select {
	case <-timer.C:
	case <-task.cancel:
		timer.Stop()
		task.outcome = errCancelled
	}
	s.ended.Done()
}

// pass creates n sleeping tasks, cancels them and takes their outcomes.
func pass(n int) map[string]float64 {
	figures := map[string]float64{}
	memory := residentBytes()
	start := time.Now()
	lap := func(name string) {
		now := time.Now()
		figures[name] = float64(now.Sub(start)) / float64(n)
		start = now
	}

	s := &sleepers{tasks: make([]sleeper, n), all: make(chan struct{})}
	s.ended.Add(n)
	for i := range s.tasks {
		task := &s.tasks[i]
		task.cancel = make(chan struct{})
		go s.sleep(task)
	}
	<-s.all
	lap("create")

	figures["bytes"] = (residentBytes() - memory) / float64(n)

	start = time.Now()
	procPin()
	for i := range s.tasks {
		close(s.tasks[i].cancel)
	}
	procUnpin()
	lap("request")
	s.ended.Wait()
	lap("run")
	for i := range s.tasks {
		if s.tasks[i].outcome != errCancelled {
			panic("a sleeper was not cancelled")
		}
	}
	lap("reap")
	figures["cancel"] = figures["request"] + figures["run"] + figures["reap"]
	return figures
}

var sleeperFigures = []string{"create", "request", "run", "reap", "cancel", "create-warm", "bytes"}

// sleep takes every figure of n sleepers. All but create-warm come from the
// first pass, which is the cold one.
func sleep(n, warmPasses int) map[string]float64 {
	figures := pass(n)
	var warm []float64
	for i := 0; i < warmPasses; i++ {
		warm = append(warm, pass(n)["create"])
	}
	figures["create-warm"] = median(warm)
	return figures
}

// residentBytes is the process's memory with its page tables.
func residentBytes() float64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	var sum float64
	for lines := bufio.NewScanner(file); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if field[0] == "VmRSS:" || field[0] == "VmPTE:" {
			kib, _ := strconv.ParseFloat(field[1], 64)
			sum += kib * 1024
		}
	}
	return sum
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}

// measure finds how many operations fill a round, which also warms up, and
// returns the nanoseconds of one.
func measure(op func(int)) float64 {
	timed := func(n int) time.Duration {
		start := time.Now()
		op(n)
		return time.Since(start)
	}
	n := batch
	took := timed(n)
	for took < roundTime/4 {
		n *= 2
		took = timed(n)
	}
	n = int(float64(n)*float64(roundTime)/float64(took))/batch*batch + batch
	var each []float64
	for i := 0; i < rounds; i++ {
		each = append(each, float64(timed(n))/float64(n))
	}
	return median(each)
}

var figures = []struct {
	name string
	op   func(int)
}{
	{"yield", yield},
	{"yield-deep", yieldDeep},
	{"spawn-await", spawnAwait},
	{"spawn-batch", spawnBatch},
	{"lock-handover", lockHandover},
	{"queue-1", queue(1)},
	{"queue", queue(64)},
	{"timeout", timeoutReset},
	{"timeout-new", timeoutNew},
	{"timeout-context", timeoutContext},
}

var groups = []struct {
	n, warmPasses int
	got           map[string]float64
}{
	{n: 100000, warmPasses: 3},
	{n: 1000000, warmPasses: 1},
}

func run(name string) bool {
	for _, f := range figures {
		if f.name == name {
			fmt.Printf("%s %.1f ns\n", name, measure(f.op))
			return true
		}
	}
	for i := range groups {
		g := &groups[i]
		for _, figure := range sleeperFigures {
			if fmt.Sprintf("sleepers-%d-%s", g.n, figure) != name {
				continue
			}
			if g.got == nil {
				g.got = sleep(g.n, g.warmPasses)
			}
			unit := "ns"
			if figure == "bytes" {
				unit = "B"
			}
			fmt.Printf("%s %.1f %s\n", name, g.got[figure], unit)
			return true
		}
	}
	return false
}

func main() {
	runtime.GOMAXPROCS(1)
	for _, arg := range os.Args[1:] {
		switch {
		case arg == "--plain": // the only output there is
		case arg == "--list":
			for _, f := range figures {
				fmt.Println(f.name)
			}
			for _, g := range groups {
				for _, figure := range sleeperFigures {
					fmt.Printf("sleepers-%d-%s\n", g.n, figure)
				}
			}
		case !run(arg):
			fmt.Fprintln(os.Stderr, "go-bench: no figure named", arg)
			os.Exit(2)
		}
	}
}

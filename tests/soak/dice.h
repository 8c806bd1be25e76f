/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-random numbers from a seed. Each task that makes decisions has dice of its own, made from
 * the seed and from the task's number. Therefore the decisions do not depend on the order in which
 * tasks run.
 */
#ifndef BELAY_SOAK_DICE_H
#define BELAY_SOAK_DICE_H

#include <belay.h>

struct dice {
        uint64_t state;
};

static inline uint64_t roll(struct dice *dice) {
        uint64_t mixed = dice->state += 0x9e3779b97f4a7c15;

        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        return mixed ^ mixed >> 31;
}

/* Returns the dice of a task with the number `who`, whose parent has the dice `parent`. */
static inline struct dice dice_of(struct dice parent, uint64_t who) {
        struct dice dice = { roll(&parent) ^ who * 0xd1342543de82ef95 };

        dice.state = roll(&dice);
        return dice;
}

static inline uint64_t below(struct dice *dice, uint64_t bound) {
        return bound > 0 ? roll(dice) % bound : 0;
}

static inline bool one_in(struct dice *dice, unsigned count) {
        return below(dice, count) == 0;
}

/* Returns a number from 0 to `most`. Each order of magnitude is equally likely. */
static inline uint64_t some(struct dice *dice, uint64_t most) {
        uint64_t bound = (uint64_t) 1 << below(dice, 64 - (unsigned) __builtin_clzll(most | 1) + 1);

        return below(dice, (bound < most ? bound : most) + 1);
}

static inline belay_time some_time(struct dice *dice, belay_time most) {
        return (belay_time) some(dice, (uint64_t) most);
}

#endif

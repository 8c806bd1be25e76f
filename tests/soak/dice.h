/* SPDX-License-Identifier: MIT */
/*
 * Chance from a seed: who decides something has dice of his own, made from the seed and from who he is. So what is
 * decided does not depend on who comes first.
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

/* Dice of somebody's that `parent` has, or had, the dice of. */
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

/* From 0 to `most`; each order of magnitude is as likely as any other. */
static inline uint64_t some(struct dice *dice, uint64_t most) {
        uint64_t bound = (uint64_t) 1 << below(dice, 64 - (unsigned) __builtin_clzll(most | 1) + 1);

        return below(dice, (bound < most ? bound : most) + 1);
}

static inline belay_time some_time(struct dice *dice, belay_time most) {
        return (belay_time) some(dice, (uint64_t) most);
}

#endif

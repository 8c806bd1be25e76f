/* SPDX-License-Identifier: MIT */
/*
 * Plays a scenario on a loop with a virtual clock.
 */
#ifndef BELAY_CLI_PLAYER_PLAY_H
#define BELAY_CLI_PLAYER_PLAY_H

#include "../common/text.h"
#include "../scenario/scenario.h"

/*
 * Adds the lines of the trace to `trace`. Returns false if the scenario cannot be played, because
 * it does not end or gives two tasks the same name. `trouble` then contains the reason, and `trace`
 * contains the events up to that point.
 */
bool play_scenario(const struct scenario *scenario, struct text *trace, struct text *trouble);

#endif

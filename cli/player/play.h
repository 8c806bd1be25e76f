/* SPDX-License-Identifier: MIT */
/*
 * Plays a scenario on a loop with a virtual clock.
 */
#pragma once

#include "../common/text.h"
#include "../scenario/scenario.h"

/*
 * Adds the trace's lines to `trace`. Returns false where the scenario cannot be played (it does not end, or
 * names two tasks alike): `trouble` says why, and the trace is what there was until then.
 */
bool play_scenario(const struct scenario *scenario, struct text *trace, struct text *trouble);

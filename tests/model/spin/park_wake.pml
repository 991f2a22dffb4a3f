/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Parking and waking (src/sched/idle.h, park.h, seek.c) as a protocol: thieves that search, park,
 * sleep, are woken or give up sleeping; an owner that makes jobs, stuck in a turn, so that only
 * thieves can run them.
 *
 * The owner's stores reach memory late (`unseen`); FENCE says how it passes a fence between making a
 * job and looking at the counts: 0 not at all, as tri_fence_light, 1 fully. The thief's heavy fence
 * brings all out. HEAVY 0 leaves that out: a plant that must be found.
 *
 * Properties
 *   all_done      every job is run
 *   one_token     (assertion) a thief is never owed two tokens; whoever clears a bit owes one
 *   awake_to_run  (assertion) nobody runs a job with its bit set
 *   counts        (assertion) in the end all thieves are parked. A thief that has set its bit, but is
 *                 not counted yet, may be woken: then the parked ones are one too few for a moment,
 *                 and always so that the word says "somebody searches", which is true
 *   no deadlock   where a process may stand for ever is labelled end
 */

#ifndef THIEVES
#define THIEVES 2
#endif
#ifndef JOBS
#define JOBS 2
#endif
#ifndef FENCE
#define FENCE 0
#endif
#ifndef HEAVY
#define HEAVY 1
#endif
#define CANCELS 1

mtype = { EMPTY, WAITING, TOKEN };

byte work;      /* jobs that all can see */
byte unseen;    /* … that only the owner sees */
byte done;
short parked, searching;  /* one word in the source: read and changed together */
bool is_set[THIEVES];
mtype word[THIEVES] = EMPTY;

#define bring_out() atomic { work = work + unseen; unseen = 0 }

inline move(parked_by, searching_by)
{
    atomic {
        parked = parked + parked_by;
        searching = searching + searching_by;
        assert(parked + searching <= THIEVES && parked + searching >= 0);
        assert(parked >= 0 || searching > -parked)
    }
}

/* Clears a bit, if one is found, and owes that thief a token. */
inline wake_one()
{
    atomic { wants = (parked > 0 && searching == 0) };
    i = 0;
    do
    :: !wants || i == THIEVES -> break
    :: else ->
        atomic { got = is_set[i]; is_set[i] = false };
        if
        :: got ->
            move(-1, 1);
            atomic { assert(word[i] != TOKEN); word[i] = TOKEN };
            break
        :: else -> i++
        fi
    od
}

proctype thief(byte me)
{
    byte i, cancels = CANCELS;
    bool wants, got, mine, was_last, has_token;

    move(0, 1);
    do
    ::  atomic { mine = (work > 0); if :: mine -> work-- :: else fi };
        if
        :: mine ->
            assert(!is_set[me]);
            atomic { searching--; was_last = (searching == 0) };
            if :: was_last && work > 0 -> wake_one() :: else fi;
            done++;
            move(0, 1)
        :: else ->
            is_set[me] = true;
            move(1, -1);
            if :: HEAVY -> bring_out() :: else fi;
            has_token = false;
            if
            :: work > 0
            :: else ->
                atomic {
                    if
                    :: word[me] == TOKEN -> word[me] = EMPTY; has_token = true
                    :: else -> word[me] = WAITING
                    fi
                };
                if
                :: !has_token ->
end_asleep:         if
                    :: word[me] == TOKEN -> has_token = true
                    :: cancels > 0 -> cancels--
                    fi;
                    atomic {
                        has_token = (word[me] == TOKEN);
                        word[me] = EMPTY
                    }
                :: else
                fi
            fi;
            if
            :: !has_token ->
                atomic { got = is_set[me]; is_set[me] = false };
                if
                :: got -> move(-1, 1)
                :: else -> word[me] == TOKEN; word[me] = EMPTY /* it is on its way */
                fi
            :: else
            fi
        fi
    od
}

proctype owner()
{
    byte i, made;
    bool wants, got;

    do
    :: made == JOBS -> break
    :: else ->
        unseen++;
        made++;
        if :: FENCE -> bring_out() :: else fi;
        wake_one()
    od
}

/* Stores come out by themselves. */
proctype memory()
{
end_idle:
    do
    :: atomic { unseen > 0 -> unseen--; work++ }
    od
}

init
{
    byte i;

    atomic {
        run owner();
        run memory();
        do
        :: i == THIEVES -> break
        :: else -> run thief(i); i++
        od
    };
    timeout; /* nothing moves any more */
    assert(done == JOBS && work == 0 && unseen == 0);
    assert(parked == THIEVES && searching == 0)
}

ltl all_done { <> (done == JOBS) }

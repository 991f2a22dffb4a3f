/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The machine of an actor's life (src/actors/lifecycle.h) in a slot with two tenants, one after the
 * other: the actor, its supervisor, somebody who stops and then kills it, an asker, and whoever
 * sends to the first tenant with a ref that may be stale.
 *
 * PLANT undoes one protection each, which must be found:
 *   1 a message is taken whatever its generation   2 an end answers no asks it was serving
 *   3 a held actor is deaf to kill                 4 the generation is not raised
 *   5 a signal's life is read after the generation was looked at
 *
 * Properties
 *   edges         (assertion) no transition but those drawn
 *   answered      every ask gets an answer, (assertion) and only one
 *   right_life    (assertion) a message is handled by the life it was sent to, or is a dead letter
 *   killed_life   (assertion) a kill meant for the first life does not end the second
 *   ends          a kill that was accepted ends that life
 *   not_held      a held actor is restarted or ended
 */

#ifndef PLANT
#define PLANT 0
#endif

mtype = { FREE, STARTING, RUNNING, HELD, ENDED };

mtype state = FREE;
byte generation = 1, incarnation, life;   /* of who lives in the slot; life: urgent.h */
bool is_open, is_killed, may_restart, is_restart_due, is_given_up, told;
byte kill_for;                             /* the life a kill is meant for; 0 none */
byte lives_ended;
bool kill_was_taken;

/* The asker's: 0 not asked, 1 on its way, 2 served, 3 answered. */
byte ask;
byte answers;

/* The sender's message: the generation it was sent to; 0 none. */
byte message;
byte dead_letters, handled;

inline go(from1, from2, to)
{
    assert(state == from1 || state == from2);
    state = to
}

inline answer()
{
    answers++;
    ask = 3
}

/* What an end of an incarnation owes. */
inline release_incarnation()
{
    if :: ask == 2 && PLANT != 2 -> answer() :: else fi
}

inline end_life()
{
    atomic { go(state, state, ENDED); if :: PLANT != 4 -> generation++ :: else fi };
    atomic { is_open = false; if :: ask == 1 -> answer() :: else fi };
    atomic { if :: message != 0 -> message = 0; dead_letters++ :: else fi };
    lives_ended++;
    atomic { life++; kill_for = 0; state = FREE }
}

/* One tenant: from its first turn to its end. */
inline live()
{
    atomic { go(FREE, FREE, STARTING); incarnation = 0; is_open = true; may_restart = true;
             is_given_up = false; is_restart_due = false };
    do
    :: state == STARTING ->
        if
        :: go(STARTING, STARTING, RUNNING)
        :: may_restart -> release_incarnation(); go(STARTING, STARTING, HELD); told = true
        :: end_life(); break
        fi
    :: state == RUNNING && kill_for == life ->
        assert(lives_ended == 0);
        release_incarnation();
        end_life();
        break
    :: state == RUNNING ->
        if
        :: atomic { message != 0 ->
               if
               :: message == generation || PLANT == 1 ->
                   assert(lives_ended == 0);
                   handled++
               :: else -> dead_letters++
               fi;
               message = 0 }
        :: atomic { ask == 1 -> ask = 2 }
        :: atomic { ask == 2 -> answer() }
        :: incarnation < 2 && may_restart ->      /* crashes */
            release_incarnation();
            atomic { go(RUNNING, RUNNING, HELD); told = true }
        :: release_incarnation(); end_life(); break  /* TR_STOP */
        fi
    :: state == HELD ->
        if
        :: kill_for == life && PLANT != 3 -> assert(lives_ended == 0); end_life(); break
        :: atomic { is_restart_due -> is_restart_due = false; incarnation++;
                    go(HELD, HELD, STARTING) }
        :: is_given_up -> end_life(); break
        fi
    od
}

proctype actor()
{
    live();
    live();
end_over:
    skip
}

proctype supervisor()
{
end_waits:
    do
    :: atomic { told -> told = false };
        if
        :: PLANT == 3 -> false      /* it stops answering: only the kill is left */
        :: PLANT != 3 && incarnation < 2 -> is_restart_due = true
        :: PLANT != 3 -> is_given_up = true
        fi
    od
}

/* The life first, the generation after it: urgent.h, rule 2. */
proctype killer()
{
    byte seen;

    if :: PLANT != 5 -> seen = life :: else fi;
    if
    :: generation == 1 ->
        if :: PLANT == 5 -> seen = life :: else fi;
        atomic {
            if
            :: is_open && life == seen ->
                kill_for = seen;
                kill_was_taken = true
            :: else
            fi
        }
    :: else
    fi
}

proctype asker()
{
    atomic {
        if
        :: is_open && generation == 1 -> ask = 1
        :: else -> answer()   /* refused */
        fi
    }
}

proctype sender()
{
    byte to = 1;

    if
    :: generation == to -> /* looked at, and then pushed: the slot may have changed hands */
        atomic {
            if
            :: is_open -> message = to
            :: else -> dead_letters++
            fi
        }
    :: else -> dead_letters++
    fi
}

init
{
    life = 1;
    atomic {
        run actor(); run supervisor(); run killer(); run asker(); run sender()
    };
    timeout;
    assert(state == FREE && lives_ended == 2);
    assert(answers == 1 && ask == 3);
    assert(handled + dead_letters == 1)
}

ltl answered { [] (answers <= 1) && <> (answers == 1) }
ltl ends { [] (kill_was_taken -> <> (lives_ended >= 1)) }
ltl not_held { [] (state == HELD -> <> (state != HELD)) }

package placement

// everyRule is each rule of the page by the name that model_test.go gives it.
const everyRule = `
1: pays
1: waited for that
2: alive after the end
3: above
3: alive above the current one on its node
3: done is done
3: ends a cancel
4: a repeat
4: a start
4: a start that was not heard
4: again after a backoff
4: another journal
4: another journal than that of a started task
4: completed
4: completed before it was cancelled
4: ends as ending says
4: failed
4: healthy
4: healthy for long
4: interrupted
4: its home is taken back
4: not healthy
4: refused for good
4: refused, and the successor takes over
4: rerouted
4: revoked
4: says nothing
4: the start is taken back
4: the starts are used up
4: the successor takes over
5: accepted
5: another journal
5: dropped
5: promoted
5: runs, not healthy
6: alive
6: late
adopted
cancel: a repeat
cancel: held
cancel: pending
claimed: asks the holder to end
claimed: asks the next one to end
claimed: by another
claimed: by one that came later
claimed: by this job
claimed: goes on as it is
claimed: intrudes
claimed: make before break
claimed: runs beside the holder
claimed: the holder goes on
claimed: the holder's volumes
forgotten
forgotten: a fence is let go
its home
lost: a fence has expired
lost: a fence has expired, and the job waited for that
lost: a started task
lost: fails
lost: its home is left
lost: its lease is not over
lost: moves
lost: stays at home
lost: the starts are used up
lost: the successor
lost: the successor takes over
lost: waits
lost: while cancelling
place: a fence is owed
place: at home only
place: avoids where it failed
place: beside the one before
place: handed over
place: needs the name
place: nobody can
place: not before
place: the deadline is over
place: the starts are used up
replaced
replaced: another life
replaced: it has the name
retry: another life
retry: cannot be
retry: placed now
retry: the name is held
retry: the one before has not ended
submitted: a revoke
submitted: another fingerprint
submitted: begins
submitted: expired
submitted: repeated
submitted: the name is held
superseded
the target is left
tick: claims its name
tick: pending
tick: the deadline is over
unheard: at a pace
unheard: the current attempt
unheard: the successor
vacate: a successor
vacate: break before make
vacate: nobody can
`

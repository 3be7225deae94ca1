//go:build race

package placement

// underRace: nothing here runs at once, and the walks are ten times as slow; a
// few of them will do.
const underRace = true

package messages

import (
	"strconv"
	"strings"
)

// Real-time signals as Linux numbers them.
const (
	signalRTMin = 34
	signalRTMax = 64
)

// signals are the names that signals have on Linux, the system whose numbers
// the contract uses everywhere: a signal's exit code is 128 + its number.
var signals = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8,
	"KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16,
	"CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24,
	"XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "POLL": 29, "PWR": 30, "SYS": 31,
}

// ParseSignal reads a signal by its name, with or without SIG and in any case
// ("TERM", "SIGKILL", "RTMIN+3"), or by its number from 1 to 64. The number is
// Linux's; ok is false for anything else.
func ParseSignal(s string) (number int, ok bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= 1 && n <= signalRTMax && s[0] != '+'
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if n, known := signals[name]; known {
		return n, true
	}
	if offset, found := strings.CutPrefix(name, "RTMIN"); found {
		return realTime(signalRTMin, '+', offset)
	}
	if offset, found := strings.CutPrefix(name, "RTMAX"); found {
		return realTime(signalRTMax, '-', offset)
	}
	return 0, false
}

// realTime is base, or base moved by an offset with the sign that stays in the
// range.
func realTime(base int, sign byte, offset string) (int, bool) {
	if offset == "" {
		return base, true
	}
	n, err := strconv.ParseUint(offset[1:], 10, 6)
	if err != nil || offset[0] != sign || n > signalRTMax-signalRTMin {
		return 0, false
	}
	if sign == '-' {
		return base - int(n), true
	}
	return base + int(n), true
}

// signalOrNone checks a signal that may be left out.
func signalOrNone(field, s string) error {
	if s == "" {
		return nil
	}
	if _, ok := ParseSignal(s); !ok {
		return invalid(field, s, "a signal such as TERM, KILL, INT, HUP, USR1 or USR2, or a number from 1 to 64")
	}
	return nil
}

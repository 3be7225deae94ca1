package messages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// first is the first of the faults: Validate methods are lists of checks, and
// the order of a list is the order in which a caller is told.
func first(faults ...error) error {
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkV refuses a message of another version of the contract.
func checkV(v int) error {
	if v == Version {
		return nil
	}
	return &Error{
		Code:    CodeUnsupportedVersion,
		Field:   "v",
		Message: fmt.Sprintf("%d is not a version this build speaks; want %d", v, Version),
	}
}

// each checks the elements of a list, naming the one at fault by its index.
func each[T any](field string, items []T, check func(*T) error) error {
	for i := range items {
		if err := check(&items[i]); err != nil {
			return under(fmt.Sprintf("%s[%d]", field, i), err)
		}
	}
	return nil
}

// eachKey checks the entries of a map in the order of its keys, naming the one
// at fault by its key.
func eachKey[V any](field string, m map[string]V, check func(key string, value V) error) error {
	if len(m) == 0 {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := check(key, m[key]); err != nil {
			return under(field+"["+quote(key)+"]", err)
		}
	}
	return nil
}

// oneOf refuses a value that is not in the list; the empty one too.
func oneOf[T ~string](field string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	want := "one of " + join(allowed)
	if value == "" {
		return missing(field, want)
	}
	return invalid(field, string(value), want)
}

// oneOfOrNone is oneOf for a field that may be left out.
func oneOfOrNone[T ~string](field string, value T, allowed ...T) error {
	if value == "" {
		return nil
	}
	return oneOf(field, value, allowed...)
}

func join[T ~string](items []T) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(item))
	}
	return b.String()
}

// tokenOrNone is CheckToken for a field that may be left out.
func tokenOrNone(field, token string) error {
	if token == "" {
		return nil
	}
	return CheckToken(field, token)
}

// notNegative refuses amounts below zero.
func notNegative[T int | int64](field string, n T) error {
	if n < 0 {
		return invalid(field, n, "a number of 0 or more")
	}
	return nil
}

// atMost refuses a list that is too long.
func atMost(field string, n, most int) error {
	if n > most {
		return &Error{
			Code:    CodeInvalidArgument,
			Field:   field,
			Message: fmt.Sprintf("has %d entries; at most %d are allowed", n, most),
		}
	}
	return nil
}

// checkLength refuses a string of too many bytes.
func checkLength(field, s string, most int) error {
	if len(s) > most {
		return &Error{
			Code:    CodeInvalidArgument,
			Field:   field,
			Message: fmt.Sprintf("has %d bytes; at most %d are allowed", len(s), most),
		}
	}
	return nil
}

// checkReason bounds what is said to people.
func checkReason(field, reason string) error { return checkLength(field, reason, MaxReasonLength) }

// checkText refuses what has no place in a one-line value: control characters,
// NUL first among them, since it ends strings in the kernels below.
func checkText(field, s string) error {
	if i := strings.IndexFunc(s, isControl); i >= 0 {
		return invalid(field, s, fmt.Sprintf("text without control characters (there is one at byte %d)", i))
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// checkNoNUL refuses the one character that no argument of a program can hold.
func checkNoNUL(field, s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return invalid(field, s, fmt.Sprintf("text without NUL (there is one at byte %d)", i))
	}
	return nil
}

// required refuses an empty string; want says what belongs there.
func required(field, s, want string) error {
	if s == "" {
		return missing(field, want)
	}
	return nil
}

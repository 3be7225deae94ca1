package messages

import (
	"encoding/json"
	"time"
)

// Duration is a length of time as the wire writes it: a string that
// time.ParseDuration reads, such as "90s". The zero Duration is left out.
type Duration time.Duration

// Std is d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is d as the wire writes it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes d as a string, in which nothing needs an escape.
func (d Duration) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads a string; a bare number is refused, since its unit would
// be a guess. Like every other null, a null leaves d as it is.
func (d *Duration) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return notDuration(data)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return notDuration(data)
	}
	*d = Duration(v)
	return nil
}

func notDuration(data []byte) error {
	return &Error{
		Code:    CodeMalformed,
		Message: clip(string(data)) + ` is not a duration; want a string such as "90s"`,
	}
}

// checkDuration refuses negative lengths of time.
func checkDuration(field string, d Duration) error {
	if d < 0 {
		return invalid(field, d, "a duration of zero or more, such as 90s")
	}
	return nil
}

package deployment

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// text reads a plain value as it is written.
func (r *reader) text(v value) string {
	if v.Kind != yaml.ScalarNode {
		r.wrong(v, "%s is not allowed; want a plain value", shown(v.Node))
		return ""
	}
	return v.Value
}

// word reads one of some words.
func (r *reader) word(v value, words ...string) string {
	s := r.text(v)
	if v.Kind == yaml.ScalarNode && !slices.Contains(words, s) {
		r.wrong(v, "%q is not allowed; want %s", s, strings.Join(words, ", "))
		return ""
	}
	return s
}

func (r *reader) boolean(v value) bool {
	var b bool
	if v.Kind != yaml.ScalarNode || v.Decode(&b) != nil {
		r.wrong(v, "%s is not allowed; want true or false", shown(v.Node))
	}
	return b
}

// whole reads a whole number within bounds.
func (r *reader) whole(v value, least, most int64) int64 {
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if v.Kind != yaml.ScalarNode || err != nil || n < least || n > most {
		want := "a whole number from " + strconv.FormatInt(least, 10)
		if most < math.MaxInt64 {
			want += " to " + strconv.FormatInt(most, 10)
		} else {
			want += " on"
		}
		r.wrong(v, "%s is not allowed; want %s", shown(v.Node), want)
		return 0
	}
	return n
}

func (r *reader) port(v value) uint16 { return uint16(r.whole(v, 1, math.MaxUint16)) }

// milli reads cores, 0.5, as thousandths of one.
func (r *reader) milli(v value) int64 {
	cores, err := strconv.ParseFloat(v.Value, 64)
	if v.Kind != yaml.ScalarNode || err != nil || !(cores > 0 && cores <= 1e6) {
		r.wrong(v, "%s is not allowed; want a number of cores above 0, such as 0.5", shown(v.Node))
		return 0
	}
	return max(1, int64(math.Round(cores*1000)))
}

// units are what a size may end in.
var units = []struct {
	name  string
	bytes int64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40},
	{"K", 1e3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12},
}

// size reads bytes: 512Mi, 1.5Gi, 1000000.
func (r *reader) size(v value) int64 {
	text, unit := strings.TrimSuffix(v.Value, "B"), int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	bytes := n * float64(unit)
	if v.Kind != yaml.ScalarNode || err != nil || !(bytes >= 1 && bytes < 1<<62) {
		r.wrong(v, "%s is not allowed; want a size such as 512Mi or 2Gi", shown(v.Node))
		return 0
	}
	return int64(bytes)
}

func (r *reader) duration(v value) messages.Duration {
	d, err := time.ParseDuration(strings.ReplaceAll(v.Value, " ", ""))
	if v.Kind != yaml.ScalarNode || err != nil || d < 0 {
		r.wrong(v, "%s is not allowed; want a duration such as 30s or 5m", shown(v.Node))
	}
	return messages.Duration(d)
}

// words reads a list of plain values.
func (r *reader) words(v value) []string {
	list := []string{}
	r.each(v, "plain values", func(v value) { list = append(list, r.text(v)) })
	return list
}

// dictionary reads names and plain values.
func (r *reader) dictionary(v value) map[string]string {
	values := map[string]string{}
	r.entries(v, "names and plain values", func(name string, _, v value) {
		if v.Tag == "!!null" {
			values[name] = ""
			return
		}
		values[name] = r.text(v)
	})
	return values
}

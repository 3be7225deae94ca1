package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// A table is printed page by page: the first rows decide how wide the columns
// are, and later ones widen them where they must. On a terminal every line fits:
// the widest columns are cut.
type table struct {
	w      io.Writer
	fit    int  // characters of a line; 0: no limit
	prose  bool // the last column is there to be read: it is not cut but goes on below
	widths []int
	rows   [][]string // that are still to be printed; the head is one
}

// pageRows is how many rows are kept before they are printed.
const pageRows = 100

// narrowest is how far a column may be cut.
const narrowest = 4

// newTable begins a table; head may be nil.
func newTable(w io.Writer, head []string) *table {
	t := &table{w: w, fit: widthOf(w)}
	if head != nil {
		t.rows = append(t.rows, head)
	}
	return t
}

// widthOf is how wide a terminal is, or 0 for what is none.
func widthOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// row adds a row.
func (t *table) row(cells ...string) error {
	t.rows = append(t.rows, cells)
	if len(t.rows) < pageRows {
		return nil
	}
	return t.flush()
}

// flush prints the rows that were added.
func (t *table) flush() error {
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		}
	}
	widths := fitted(t.widths, t.fit)
	var b strings.Builder
	for _, row := range t.rows {
		left := 0 // of the cell
		for i, cell := range row {
			switch last := i == len(row)-1; {
			case last && t.prose && t.fit > 0:
				cell = strings.Join(wrapped(cell, widths[i]), "\n"+strings.Repeat(" ", left))
			case t.fit > 0:
				cell = cut(cell, widths[i])
			}
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
			left += widths[i] + 2
		}
		b.WriteByte('\n')
	}
	t.rows = t.rows[:0]
	_, err := io.WriteString(t.w, b.String())
	return err
}

// fitted narrows columns until a line has no more than so many characters, the
// widest first; 0 is no limit.
func fitted(widths []int, limit int) []int {
	widths = slices.Clone(widths)
	if limit == 0 || len(widths) == 0 {
		return widths
	}
	over := 2*(len(widths)-1) - limit
	for _, w := range widths {
		over += w
	}
	for ; over > 0; over-- {
		widest := 0
		for i, w := range widths {
			if w >= widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrowest {
			break
		}
		widths[widest]--
	}
	return widths
}

// cut shortens a cell to a width, and marks that it did.
func cut(cell string, width int) string {
	if utf8.RuneCountInString(cell) <= width {
		return cell
	}
	return string([]rune(cell)[:width-1]) + "…"
}

// wrapped breaks text into lines of a width: between words where it can.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		long := []rune(word)
		for ; len(long) > width; long = long[width:] {
			lines = append(lines, string(long[:width]))
		}
		line = string(long)
	}
	return append(lines, line)
}

// printProse prints rows that are all there, the last column of which is to be
// read; the first row is the head.
func printProse(w io.Writer, rows [][]string) error {
	t := newTable(w, nil)
	t.rows, t.prose = rows, true
	return t.flush()
}

// pairs prints a name and a value a line, without those that are empty. Nothing
// is cut: these are there to be read.
func pairs(w io.Writer, rows [][]string) error {
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
	t := newTable(w, nil)
	t.rows, t.fit = rows, 0
	return t.flush()
}

// orDash is what a table shows of something that may be empty.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// mebi writes bytes for people.
func mebi(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	value, names := float64(bytes)/unit, "KMGTPE"
	for value >= unit && len(names) > 1 {
		value, names = value/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %ciB", value, names[0])
}

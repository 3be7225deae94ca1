// Command mutants takes the safeguards out of shunt, one at a time, and runs the
// tests that should notice: a safeguard without which every test still passes is
// one that nobody would miss if it broke. It changes no file: the mutated source
// is laid over the real one for the compiler alone (go test -overlay).
//
//	go run ./internal/mutants [-run NAME] [-v]
//
// It ends with 1 when a mutant survives, or when one cannot be made because the
// source has changed: then the list in mutations.go has to follow it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"text/tabwriter"
)

func main() {
	pattern := flag.String("run", ".", "only the mutations whose name matches this regular `expression`")
	verbose := flag.Bool("v", false, "show what the tests print")
	flag.Parse()
	if err := run(*pattern, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(pattern string, verbose bool) error {
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	survivors, ran := 0, 0
	for _, m := range mutations {
		if !wanted.MatchString(m.Name) {
			continue
		}
		ran++
		killers, err := m.try(ctx, verbose)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		verdict := "noticed by " + strings.Join(killers, ", ")
		if len(killers) == 0 {
			survivors++
			verdict = "SURVIVES"
		}
		fmt.Fprintf(out, "%s\t%s\n", m.Name, verdict)
		out.Flush()
	}
	switch {
	case ran == 0:
		return fmt.Errorf("-run: no mutation is called like %q", pattern)
	case survivors > 0:
		return fmt.Errorf("%d of %d mutations are noticed by no test", survivors, ran)
	}
	fmt.Printf("all %d mutations are noticed\n", ran)
	return nil
}

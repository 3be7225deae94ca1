package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
)

func main() {
	var (
		name       = flag.String("name", "", "`NAME` of the machine")
		images     = flag.String("images", "", "serve the toybox's images on `HOST:PORT`")
		containers = flag.Bool("containers", false, "make this a machine that runs containers, and witness them")
	)
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("part", "node")
	code, err := run(log, *name, *images, *containers, flag.Args())
	if err != nil {
		log.Error("the machine cannot start", "error", err)
	}
	os.Exit(code)
}

func run(log *slog.Logger, name, images string, containers bool, program []string) (int, error) {
	if len(program) == 0 {
		return 2, fmt.Errorf("no program is given; want one after the flags")
	}
	if containers {
		if err := ownCgroups(); err != nil {
			return 1, err
		}
		go (&witness{node: name, log: log, out: os.Stdout}).run(context.Background())
	}
	if images != "" {
		if err := serveImages(context.Background(), images); err != nil {
			return 1, err
		}
	}
	return newSupervisor(program, log).run()
}

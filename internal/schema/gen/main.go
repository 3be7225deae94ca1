// Command gen writes the JSON Schemas of the contract into docs/schema.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/shunt-fleet/shunt/internal/schema"
)

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "the directory of the module")
	flag.Parse()
	if err := run(*root); err != nil {
		log.Fatal(err)
	}
}

// run writes every schema, and removes those of messages that are no more.
func run(root string) error {
	files, err := schema.Generate(root)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "docs", "schema")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, schema.FileName("*")))
	if err != nil {
		return err
	}
	for _, file := range old {
		if _, kept := files[filepath.Base(file)]; kept {
			continue
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

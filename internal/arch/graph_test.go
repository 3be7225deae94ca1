package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// module is the path of shunt's own module.
const module = "github.com/shunt-fleet/shunt"

// root is where the module is, seen from this package.
const root = "../.."

// loadGraph asks go list for what every package of the module imports, on each
// of the three systems.
func loadGraph() (*graph, error) {
	g := &graph{own: map[string]bool{}, std: map[string]bool{}, imports: map[string][]string{}}
	for _, system := range []string{"linux", "windows", "darwin"} {
		if err := g.load(system); err != nil {
			return nil, fmt.Errorf("go list for %s: %w", system, err)
		}
	}
	return g, nil
}

func (g *graph) load(system string) error {
	var complaints strings.Builder
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Standard", "./...")
	list.Dir = root
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system)
	list.Stderr = &complaints
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("%w: %s", err, complaints.String())
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
			Standard   bool
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		g.add(p.ImportPath, p.Standard, p.Imports)
	}
}

// add puts one package in, beside what it imports on another system.
func (g *graph) add(path string, standard bool, imports []string) {
	path, own := relative(path)
	if own {
		g.own[path] = true
	}
	if standard {
		g.std[path] = true
	}
	for _, to := range imports {
		to, _ = relative(to)
		if !slices.Contains(g.imports[path], to) {
			g.imports[path] = append(g.imports[path], to)
		}
	}
}

// relative takes the module's path off a package of its own.
func relative(path string) (string, bool) {
	return strings.CutPrefix(path, module+"/")
}

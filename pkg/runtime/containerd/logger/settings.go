package logger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DefaultMaxBytes bounds one file of a log; there are two.
const DefaultMaxBytes = 8 << 20

// Settings are what a logger is told. They travel in a file, since the shim
// hands over no more than one argument in a known order.
type Settings struct {
	MaxBytes int64 `json:"max_bytes"` // of one file; 0: DefaultMaxBytes
	// Terminal is set for a container with a terminal: all its output is on
	// stdout, and stderr never ends.
	Terminal bool `json:"terminal"`
}

// Prepare makes a log's directory, for a logger to find.
func Prepare(dir string, s Settings) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("log: settings: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, settingsFile), data, 0o640); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

func readSettings(dir string) (Settings, error) {
	s := Settings{MaxBytes: DefaultMaxBytes}
	data, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("log: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("log: %s: %w", settingsFile, err)
	}
	if s.MaxBytes <= 0 {
		s.MaxBytes = DefaultMaxBytes
	}
	return s, nil
}

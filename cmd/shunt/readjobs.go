package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// readJobs reads the Jobs in files, in YAML or JSON, which is YAML too.
func (a *app) readJobs(files []string) ([]messages.Job, error) {
	var jobs []messages.Job
	for _, path := range files {
		data, err := a.readFile(path)
		if err != nil {
			return nil, err
		}
		found, err := parseJobs(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: is empty; want a Job, such as {id: hello-1, op: run, spec: {image: team/hello:1}}", path)
		}
		jobs = append(jobs, found...)
	}
	return jobs, nil
}

// readFile reads a file, or standard input for -.
func (a *app) readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(a.in)
	}
	return os.ReadFile(path)
}

// parseJobs reads documents, one Job each, or a list of them. A job's v, and its
// id, may be left out.
func parseJobs(data []byte) ([]messages.Job, error) {
	var jobs []messages.Job
	for decoder := yaml.NewDecoder(bytes.NewReader(documents(data))); ; {
		var doc yaml.Node
		if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
			return jobs, nil
		} else if err != nil {
			return nil, err
		}
		entries := doc.Content
		if len(entries) == 1 && entries[0].Kind == yaml.SequenceNode {
			entries = entries[0].Content
		}
		for _, entry := range entries {
			if entry.Kind == yaml.ScalarNode && entry.Tag == "!!null" {
				continue
			}
			job, err := parseJob(entry)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", entry.Line, err)
			}
			jobs = append(jobs, job)
		}
	}
}

// documents puts the line between documents that JSON does without.
func documents(data []byte) []byte {
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' {
		return data
	}
	var out bytes.Buffer
	for decoder := json.NewDecoder(bytes.NewReader(data)); ; {
		var doc json.RawMessage
		if err := decoder.Decode(&doc); err != nil {
			if errors.Is(err, io.EOF) {
				return out.Bytes()
			}
			return data // it may be YAML all the same
		}
		out.WriteString("---\n")
		out.Write(doc)
		out.WriteString("\n")
	}
}

func parseJob(entry *yaml.Node) (messages.Job, error) {
	var fields map[string]any
	if err := entry.Decode(&fields); err != nil {
		return messages.Job{}, err
	}
	if fields["v"] == nil {
		fields["v"] = messages.Version
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return messages.Job{}, err
	}
	var job messages.Job
	if err := json.Unmarshal(text, &job); err != nil {
		_, err = messages.Decode[messages.Job](text) // says it better
		return job, err
	}
	return job, nil
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// readJobs reads the Jobs in files, in YAML or JSON, which is YAML too. check
// completes each. A mistake is said with where it is: FILE:LINE.
func (a *app) readJobs(files []string, check func(*messages.Job) error) ([]messages.Job, error) {
	var jobs []messages.Job
	for _, path := range files {
		data, err := a.readFile(path)
		if err != nil {
			return nil, err
		}
		before := len(jobs)
		err = eachJob(data, func(entry *yaml.Node) error {
			job, err := parseJob(entry)
			if err == nil {
				err = check(&job)
			}
			if err != nil {
				return fmt.Errorf("%s:%d: %w", path, entry.Line, err)
			}
			jobs = append(jobs, job)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(jobs) == before {
			return nil, fmt.Errorf("%s: is empty; want a Job, such as {id: hello-1, op: run, spec: {image: team/hello:1}}", path)
		}
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

// eachJob takes documents apart, one Job each, or a list of them.
func eachJob(data []byte, take func(*yaml.Node) error) error {
	for decoder := yaml.NewDecoder(bytes.NewReader(documents(data))); ; {
		var doc yaml.Node
		if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		entries := doc.Content
		if len(entries) == 1 && entries[0].Kind == yaml.SequenceNode {
			entries = entries[0].Content
		}
		for _, entry := range entries {
			if entry.Kind == yaml.ScalarNode && entry.Tag == "!!null" {
				continue
			}
			if err := take(entry); err != nil {
				return err
			}
		}
	}
}

// documents puts the marks between documents that JSON does without. Every line
// stays the line it was.
func documents(data []byte) []byte {
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' {
		return data
	}
	var out bytes.Buffer
	end := int64(0) // of the document before
	for decoder := json.NewDecoder(bytes.NewReader(data)); ; {
		var doc json.RawMessage
		if err := decoder.Decode(&doc); err != nil {
			if errors.Is(err, io.EOF) {
				return out.Bytes()
			}
			return data // it may be YAML all the same
		}
		between := data[end : decoder.InputOffset()-int64(len(doc))]
		if end > 0 && !bytes.ContainsRune(between, '\n') {
			out.WriteByte('\n')
		}
		out.Write(between)
		out.WriteString("--- ")
		out.Write(doc)
		end = decoder.InputOffset()
	}
}

// parseJob reads one Job, whose v and id may be left out. A field that there is not
// would be ignored by the fleet; here it is a slip.
func parseJob(entry *yaml.Node) (messages.Job, error) {
	var fields map[string]any
	if err := entry.Decode(&fields); err != nil {
		return messages.Job{}, err
	}
	if fields["services"] != nil && fields["op"] == nil {
		return messages.Job{}, errors.New("services: this is a deployment, and no Job; `shunt apply -f` takes it")
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
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(new(messages.Job)); err != nil {
		_, field, _ := strings.Cut(err.Error(), "unknown field ")
		return job, fmt.Errorf("%s: a Job has no such field", strings.Trim(field, `"`))
	}
	return job, nil
}

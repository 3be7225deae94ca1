package main

import (
	"fmt"
	"strings"
)

// shell runs "sh -c SCRIPT": applets joined by ";" or newlines. Words may be
// quoted. There are no variables, pipes or redirections: a script that uses
// them is refused, because running half of it would be a lie.
func shell(p *process) int {
	if len(p.args) < 2 || p.args[0] != "-c" {
		return p.fail(exitUsage, "sh: only sh -c 'SCRIPT' is known")
	}
	commands, err := parse(p.args[1])
	if err != nil {
		return p.fail(exitUsage, "sh: %v", err)
	}
	code := exitOK
	for _, words := range commands {
		child := *p
		child.args = words[1:]
		if words[0] == "exit" {
			if len(child.args) == 0 {
				return code
			}
			return exit(&child)
		}
		code = run(words[0], &child)
	}
	return code
}

// A scanner splits a script into commands, and commands into words.
type scanner struct {
	commands [][]string
	words    []string
	word     strings.Builder
	inWord   bool // a quoted empty word is a word as well
}

// parse gives the words of each command that is not empty.
func parse(script string) ([][]string, error) {
	var s scanner
	runes := []rune(script)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; {
		case c == '\'' || c == '"':
			end, err := s.quoted(runes, i)
			if err != nil {
				return nil, err
			}
			i = end
		case c == '\\':
			if i++; i == len(runes) {
				return nil, fmt.Errorf("a backslash at the end has nothing to quote")
			}
			s.add(runes[i])
		case c == ';' || c == '\n':
			s.endCommand()
		case c == ' ' || c == '\t':
			s.endWord()
		case strings.ContainsRune("|&<>$`()", c):
			return nil, fmt.Errorf("%q at character %d: pipes, redirections and variables are not known here", c, i+1)
		default:
			s.add(c)
		}
	}
	s.endCommand()
	return s.commands, nil
}

// quoted reads the string that begins at start, and gives where it ends.
func (s *scanner) quoted(runes []rune, start int) (int, error) {
	quote := runes[start]
	s.inWord = true
	for i := start + 1; i < len(runes); i++ {
		switch c := runes[i]; {
		case c == quote:
			return i, nil
		case quote == '"' && c == '\\' && i+1 < len(runes) && strings.ContainsRune(`"\$`+"`", runes[i+1]):
			i++
			s.word.WriteRune(runes[i])
		case quote == '"' && (c == '$' || c == '`'):
			return 0, fmt.Errorf("%q at character %d: variables are not known here", c, i+1)
		default:
			s.word.WriteRune(c)
		}
	}
	return 0, fmt.Errorf("the quote at character %d is never closed", start+1)
}

func (s *scanner) add(c rune) {
	s.inWord = true
	s.word.WriteRune(c)
}

func (s *scanner) endWord() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}

func (s *scanner) endCommand() {
	s.endWord()
	if len(s.words) > 0 {
		s.commands = append(s.commands, s.words)
	}
	s.words = nil
}

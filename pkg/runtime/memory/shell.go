package memory

import "strings"

// script is a shell's program: commands joined by ";" or newlines, their words
// quoted or not. A script in any richer language (variables, pipes,
// redirections) is a program that is not known: running half of it would be a
// lie.
func script(text string) (prog program, known bool) {
	commands, ok := parse(text)
	if !ok {
		return forever, false
	}
	known = true
	for _, words := range commands {
		_, k := programFor(words)
		known = known && k
	}
	return func(p *process) int {
		code := 0
		for _, words := range commands {
			if !p.proceed() {
				return code
			}
			if baseName(words[0]) == "exit" {
				return exit(words[1:], code)(p)
			}
			prog, _ := programFor(words)
			code = prog(p)
		}
		return code
	}, known
}

// parse gives the words of each command that is not empty; ok is false when the
// text says more than that, or a quote is never closed.
func parse(text string) (commands [][]string, ok bool) {
	var words []string
	var word strings.Builder
	inWord := false // a quoted empty word is a word as well
	endWord := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'' || c == '"':
			quoted, length, closed := unquote(text[i:])
			if !closed {
				return nil, false
			}
			word.WriteString(quoted)
			inWord = true
			i += length - 1
		case c == '\\':
			if i++; i == len(text) {
				return nil, false
			}
			word.WriteByte(text[i])
			inWord = true
		case c == ';' || c == '\n':
			endCommand()
		case c == ' ' || c == '\t':
			endWord()
		case strings.IndexByte("|&<>$`()*?[]{}#~!", c) >= 0:
			return nil, false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	endCommand()
	return commands, true
}

// unquote reads the quoted string that text begins with, and tells how long it
// is with its quotes.
func unquote(text string) (quoted string, length int, closed bool) {
	var out strings.Builder
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return out.String(), i + 1, true
		case quote == '"' && c == '\\' && i+1 < len(text) && strings.IndexByte("\"\\$`", text[i+1]) >= 0:
			i++
			out.WriteByte(text[i])
		case quote == '"' && (c == '$' || c == '`'):
			return "", 0, false
		default:
			out.WriteByte(c)
		}
	}
	return "", 0, false
}

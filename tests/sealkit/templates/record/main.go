// Command record lets Go's text/template answer the cases in files of vectors.
//
//	go run . ../vectors/*.json
//
// It rewrites each file: the answer of every case, or that Go refused it, is replaced. To add a
// case, write its name and template (and values) into a file and run this again.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"text/template"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
)

type vectors struct {
	Source    string  `json:"source"`
	MadeBy    string  `json:"made_by"`
	Functions string  `json:"functions"`
	Cases     []*test `json:"cases"`
}

// A test has values as text, nested or not, or as base64; and an answer as text or as base64.
type test struct {
	Name         string            `json:"name"`
	Template     string            `json:"template"`
	Values       map[string]any    `json:"values,omitempty"`
	Base64       map[string]string `json:"values_base64,omitempty"`
	Missing      string            `json:"missing,omitempty"`
	Delimiters   []string          `json:"delimiters,omitempty"`
	Answer       *string           `json:"answer,omitempty"`
	AnswerBase64 *string           `json:"answer_base64,omitempty"`
	Refused      bool              `json:"refused,omitempty"`
	Ours         *string           `json:"ours,omitempty"`
	OursRefused  bool              `json:"ours_refused,omitempty"`
}

func main() {
	for _, path := range os.Args[1:] {
		if err := record(path); err != nil {
			fmt.Fprintln(os.Stderr, path, err)
			os.Exit(1)
		}
	}
}

func record(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all vectors
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	for _, each := range all.Cases {
		each.answer(all.Functions == "sprig")
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func (t *test) answer(withSprig bool) {
	t.Answer, t.AnswerBase64, t.Refused = nil, nil, false
	text, err := t.render(withSprig)
	switch {
	case err != nil:
		t.Refused = true
	case utf8.Valid(text):
		answer := string(text)
		t.Answer = &answer
	default:
		answer := base64.StdEncoding.EncodeToString(text)
		t.AnswerBase64 = &answer
	}
}

func (t *test) render(withSprig bool) ([]byte, error) {
	tmpl := template.New("")
	if withSprig {
		functions := sprig.TxtFuncMap()
		for _, name := range []string{"env", "expandenv", "getHostByName"} {
			delete(functions, name)
		}
		tmpl.Funcs(functions)
	}
	if len(t.Delimiters) == 2 {
		tmpl.Delims(t.Delimiters[0], t.Delimiters[1])
	}
	if t.Missing != "" {
		tmpl.Option("missingkey=" + t.Missing)
	}
	if _, err := tmpl.Parse(t.Template); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err := tmpl.Execute(&out, t.data())
	return out.Bytes(), err
}

// data is a map of strings where all values are, as the controllers pass it.
func (t *test) data() any {
	strings := map[string]string{}
	for key, value := range t.Base64 {
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			panic(err)
		}
		strings[key] = string(raw)
	}
	for key, value := range t.Values {
		text, ok := value.(string)
		if !ok {
			return typed(t.Values)
		}
		strings[key] = text
	}
	return strings
}

// typed makes a nested map one of strings where all its values are.
func typed(values map[string]any) any {
	all := map[string]any{}
	texts := map[string]string{}
	for key, value := range values {
		switch value := value.(type) {
		case string:
			all[key], texts[key] = value, value
		case map[string]any:
			all[key] = typed(value)
		}
	}
	if len(texts) == len(values) {
		return texts
	}
	return all
}

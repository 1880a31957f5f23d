package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// What grows beyond these is split by its nouns; see CONTRIBUTING.md.
const (
	methodsMost = 40 // of a type
	filesMost   = 25 // of a package
	nounsMost   = 55 // files of domain and db, which have one for each noun: segments, forms, series and more come to the first forty
)

// house counts what code has: the files of a package and the methods of a type, tests apart.
type house struct{ files, methods map[string]int }

func (h house) add(folder string, file *ast.File) {
	h.files[folder]++
	for _, declared := range file.Decls {
		method, ok := declared.(*ast.FuncDecl)
		if !ok || method.Recv == nil {
			continue
		}
		of := method.Recv.List[0].Type
		if pointer, ok := of.(*ast.StarExpr); ok {
			of = pointer.X
		}
		switch generic := of.(type) {
		case *ast.IndexExpr:
			of = generic.X
		case *ast.IndexListExpr:
			of = generic.X
		}
		h.methods[folder+"."+of.(*ast.Ident).Name]++
	}
}

// tooLarge names what is over the limits.
func (h house) tooLarge() (types, packages []string) {
	for name, n := range h.methods {
		if n > methodsMost {
			types = append(types, name)
		}
	}
	for folder, n := range h.files {
		if n > nounsMost || n > filesMost && folder != "domain" && folder != "db" {
			packages = append(packages, folder)
		}
	}
	return types, packages
}

// eachGoFile is asked about every file of this repository's code and tests.
func eachGoFile(t *testing.T, ask func(name string) error) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() != "." && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		return ask(name)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nothing becomes what everything hangs on.
func TestTypesAndPackagesStaySmall(t *testing.T) {
	h := house{map[string]int{}, map[string]int{}}
	eachGoFile(t, func(name string) error {
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err == nil {
			h.add(path.Dir(name), file)
		}
		return err
	})
	if h.files["domain"] == 0 || h.methods["handlers/web.Request"] == 0 {
		t.Fatal("the code of this repository is not here")
	}
	types, packages := h.tooLarge()
	for _, name := range types {
		t.Errorf("%s has %d methods, of at most %d: split it by its nouns", name, h.methods[name], methodsMost)
	}
	for _, folder := range packages {
		t.Errorf("package %s has %d files of code: give a noun of it a folder", folder, h.files[folder])
	}
}

func TestHouseFindsWhatIsTooLarge(t *testing.T) {
	h := house{map[string]int{"db": nounsMost, "domain": nounsMost + 1, "handlers/web": filesMost + 1}, map[string]int{}}
	code := "package web\n" + strings.Repeat("func (r *Request[T]) M() {}\n", methodsMost+1) + strings.Repeat("func (Viewer) M() {}\n", methodsMost)
	file, err := parser.ParseFile(token.NewFileSet(), "", code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	h.add("handlers/mailings", file)
	types, packages := h.tooLarge()
	if len(types) != 1 || types[0] != "handlers/mailings.Request" || len(packages) != 2 {
		t.Errorf("types %v and packages %v are too large", types, packages)
	}
}

// SECRET can be changed: for each file that signs or seals with a key, the test that what an earlier one signed is
// still taken with SECRET_OLD.
func TestWhateverSecretSignsOutlivesIt(t *testing.T) {
	tests := map[string]string{
		"domain/installation.go":              "TestSecretFingerprint",
		"domain/returntoken.go":               "TestEverySignatureOutlivesSecret",
		"domain/signup.go":                    "TestFormSignaturesOutliveSecret",
		"domain/unsubscribe.go":               "TestEverySignatureOutlivesSecret",
		"domain/emailauth/keys.go":            "TestSenderKeysMoveToAnotherSecret",
		"handlers/jobs/mail.go":               "TestLinksOutliveSecret",
		"handlers/web/device.go":              "TestDevicesOutliveSecret",
		"handlers/jobs/smtp/auth.go":          "", // signs with the password of a mail server
		"handlers/jobs/smtp/smtptest/auth.go": "",
	}
	all, known := "", map[string]bool{}
	eachGoFile(t, func(name string) error {
		text, err := os.ReadFile(name)
		if strings.HasSuffix(name, "_test.go") {
			all += string(text)
			return err
		}
		if code := string(text); strings.Contains(code, `"crypto/hmac"`) || strings.Contains(code, `"crypto/cipher"`) {
			if known[name] = true; tests[name] == "" && !strings.Contains(name, "smtp/") {
				t.Errorf("%s signs: name the test of SECRET_OLD here", name)
			}
		}
		return err
	})
	for name, test := range tests {
		if !known[name] || test != "" && !strings.Contains(all, "func "+test+"(") {
			t.Errorf("%s or its test %s is gone", name, test)
		}
	}
}

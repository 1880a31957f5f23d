package templates

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// counted are names of values that grow without bound: shown as text they need {{n .Count}}, or a text's own place.
var (
	counted = regexp.MustCompile(`^\.?(?:\$\.)?(?:\w+\.)*(Count|Total|Planned|Accepted|Failed|Suppressed|Skipped|Clients|Mailings|Views|Recipients|Emails|Open|Bounced|Complained|Clicked|Opened|Rows|Waiting|Confirmed|Used)$`)
	shown   = regexp.MustCompile(`([^ <]*)>\s*\{\{-?\s*(\.[\w.]+|\$\.[\w.]+)\s*-?\}\}\s*<`)
	marked  = regexp.MustCompile(`^class="(count-[a-z]+|views)"$`) // what programs read, as the contract says: digits alone
)

// Numbers that grow have their thousands apart.
func TestNumbersAreGrouped(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".html") {
			return err
		}
		page, err := os.ReadFile(path)
		for _, found := range shown.FindAllStringSubmatch(string(page), -1) {
			if counted.MatchString(found[2]) && !marked.MatchString(found[1]) {
				t.Errorf("%s shows {{%s}} without its thousands apart: {{n %s}}", path, found[2], found[2])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

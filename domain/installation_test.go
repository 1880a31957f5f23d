package domain

import (
	"bytes"
	"testing"
)

func TestSameInstallation(t *testing.T) {
	home := Installation{Cluster: "7", Database: 5, Relation: 16400, Folder: "born 12"}
	for name, test := range map[string]struct {
		found Installation
		same  bool
	}{
		"the same":                        {home, true},
		"a dump in another cluster":       {Installation{"8", 5, 16400, "born 12"}, false},
		"a dump in another database":      {Installation{"7", 6, 16400, "born 12"}, false},
		"a dump in its place":             {Installation{"7", 5, 17000, "born 12"}, false},
		"copied files":                    {Installation{"7", 5, 16400, "born 13"}, false},
		"a cluster that may not be asked": {Installation{"", 5, 16400, "born 12"}, true},
		"… and a dump there":              {Installation{"", 5, 16900, ""}, false},
		"a server without our files":      {Installation{"7", 5, 16400, ""}, true},
	} {
		if home.Same(test.found) != test.same || test.found.Same(home) != test.same {
			t.Errorf("%s: same is %v", name, !test.same)
		}
	}
}

func TestSecretFingerprint(t *testing.T) {
	one, two := []byte("one secret of many characters, 32"), []byte("two secret of many characters, 32")
	mark := SecretFingerprint(one)
	if !bytes.Equal(mark, SecretFingerprint(one)) || bytes.Equal(mark, SecretFingerprint(two)) || bytes.Contains(one, mark) {
		t.Errorf("%x", mark)
	}
}

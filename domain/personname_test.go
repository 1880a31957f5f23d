package domain

import "testing"

func TestGuessName(t *testing.T) {
	for full, want := range map[string][2]string{
		"Иванова Мария Петровна": {"Мария", "Иванова"},
		"Мария Петровна Иванова": {"Мария", "Иванова"},
		"Мария Иванова":          {"Мария", "Иванова"},
		"Иванова Мария":          {"Мария", "Иванова"},
		"ИВАНОВА МАРИЯ ПЕТРОВНА": {"Мария", "Иванова"},
		"мария":                  {"Мария", ""},
		"Мария Петровна":         {"Мария", ""},
		"Иванова М.П.":           {"", "Иванова"},
		"Иванов":                 {"", "Иванов"},
		"Сидоренко Злата":        {"Злата", "Сидоренко"},
		"Алиев Рашид Мамед оглы": {"Рашид", "Алиев"},
		"Салтыков-Щедрин Михаил Евграфович": {"Михаил", "Салтыков-Щедрин"},
		"Kızıl Ayşe":           {"Ayşe", "Kızıl"},
		"Ayşe Kızıl":           {"Ayşe", "Kızıl"},
		"Dr. Jane A. Smith":    {"Jane", "Smith"},
		"Jane Smith":           {"Jane", "Smith"},
		"Smith, Jane":          {"Jane", "Smith"},
		"John Smith Jr.":       {"John", "Smith"},
		"John Smith, PhD":      {"John", "Smith"},
		"Ludwig van Beethoven": {"Ludwig", "van Beethoven"},
		"J. Smith":             {"", "Smith"},
		"Г-жа Анна Ковалёва":   {"Анна", "Ковалёва"},
		"Анна (бухгалтерия)":   {"Анна", ""},
		"ООО «Ромашка»":        {"", ""},
		"Acme GmbH":            {"", ""},
		"ivan@example.com":     {"", ""},
		"":                     {"", ""},
		"   ":                  {"", ""},
		"王小明":                  {"王小明", ""},
	} {
		if first, last := GuessName(full); first != want[0] || last != want[1] {
			t.Errorf("%q: %q, %q, want %q", full, first, last, want)
		}
	}
}

func FuzzGuessName(f *testing.F) {
	for _, s := range []string{"Иванова Мария Петровна", "a,b", ".", "Dr.", "(", "- -", "A. B. C.", ", Jr."} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) { GuessName(s) })
}

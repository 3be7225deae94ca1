package messages_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestCanonicalNumbers is the table of RFC 8785, appendix B, and two of its
// neighbours, where Go and ECMAScript write numbers differently.
func TestCanonicalNumbers(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0",
		0x8000000000000000: "0",
		0x0000000000000001: "5e-324",
		0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308",
		0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992",
		0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000",
		0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7",
		0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325",
		0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		text := strconv.FormatFloat(math.Float64frombits(bits), 'e', 17, 64)
		if got := canonical(t, []byte(text)); got != want {
			t.Errorf("%016x is %s; want %s", bits, got, want)
		}
	}
}

func TestCanonicalText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"white space", " { \"a\" :\t[ 1 ,\r\n2 ] } ", `{"a":[1,2]}`},
		{"empty", `{"a":{},"b":[],"c":""}`, `{"a":{},"b":[],"c":""}`},
		{"literals", `[null,true,false,56.0]`, `[null,true,false,56]`},
		{"nested order", `{"b":{"z":1,"a":[{"y":2,"x":1}]},"a":0}`, `{"a":0,"b":{"a":[{"x":1,"y":2}],"z":1}}`},
		{"RFC 8785, 3.2.3: order by UTF-16", `{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{"RFC 8785, 3.2.2: the sample", `{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{"no escapes for HTML", `"\u003c\u0026\u003e"`, `"<&>"`},
		{"line separators", `"\u2028\u2029"`, "\"\u2028\u2029\""},
		{"control characters", `"\u0000\u0008\u0009\u000a\u000b\u000c\u000d\u001F\u007f"`, "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\u007f\""},
		{"a prefix comes first", `{"aa":1,"a":2,"":3}`, `{"":3,"a":2,"aa":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := canonical(t, []byte(c.in)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                 ``,
		"half an object":          `{"a":1`,
		"two values":              `1 2`,
		"not UTF-8":               "\"\xff\"",
		"a name twice":            `{"a":1,"b":{"c":1,"\u0063":2}}`,
		"a lone high surrogate":   `"\ud83d"`,
		"a lone low surrogate":    `"\ude00"`,
		"the halves turned round": `"\ude00\ud83d"`,
		"high before an escape":   `"\ud83d\n"`,
		"a lone surrogate name":   `{"\ud83d":1}`,
		"beyond float64":          `1e400`,
	} {
		t.Run(name, func(t *testing.T) {
			out, err := messages.Canonical([]byte(in))
			if e := messages.AsError(err); e == nil || e.Code != messages.CodeMalformed {
				t.Errorf("%s gives %s, %v; want malformed", in, out, err)
			}
		})
	}
}

// TestCanonicalAgainstAnother holds the package against an implementation that
// shares nothing with it, on random documents and random numbers.
func TestCanonicalAgainstAnother(t *testing.T) {
	const seed = 8785
	random := rand.New(rand.NewPCG(seed, seed))
	for range 2000 {
		doc := []byte(randomJSON(random, 4))
		want, err := jcs.Transform(doc)
		if err != nil {
			t.Fatalf("the other one refuses %s: %v", doc, err)
		}
		if got := canonical(t, doc); got != string(want) {
			t.Fatalf("%s becomes\n%s\nand the other one says\n%s", doc, got, want)
		}
	}
}

// randomJSON is an object, so that the other implementation takes it, with
// names and text from all planes.
func randomJSON(random *rand.Rand, depth int) string {
	var members []string
	for i := range random.IntN(6) {
		name := strconv.Quote(strconv.Itoa(i)) // makes every name another
		name = name[:len(name)-1] + randomText(random)[1:]
		members = append(members, name+": "+randomValue(random, depth))
	}
	random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, " ,") + "}"
}

func randomValue(random *rand.Rand, depth int) string {
	switch random.IntN(5) {
	case 0:
		if depth > 0 {
			return randomJSON(random, depth-1)
		}
	case 1:
		if depth > 0 {
			return "[" + randomValue(random, depth-1) + "," + randomValue(random, depth-1) + "]"
		}
	case 2:
		return randomText(random)
	case 3:
		return strconv.Itoa(random.IntN(1 << 30))
	}
	f := math.Float64frombits(random.Uint64())
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "null"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func randomText(random *rand.Rand) string {
	runes := []rune{'a', 'Z', '<', '\u00e9', '\u2028', '\ufb33', '\U0001F602', '/'}
	var text strings.Builder
	text.WriteByte('"')
	for range random.IntN(5) {
		switch random.IntN(4) {
		case 0:
			text.WriteString([]string{`\n`, `\"`, `\\`, `\u001f`, `\ud83d\ude02`, `\/`, `\u007f`}[random.IntN(7)])
		default:
			text.WriteRune(runes[random.IntN(len(runes))])
		}
	}
	text.WriteByte('"')
	return text.String()
}

func TestFingerprint(t *testing.T) {
	const base = `{"v":1,"id":"web-42","op":"run","spec":{"image":"web","attempt":7}}`
	want, err := messages.Fingerprint([]byte(base))
	if err != nil {
		t.Fatal(err)
	}
	// printf '%s' '{"id":"web-42","op":"run","spec":{"attempt":7,"image":"web"},"v":1}' | sha256sum
	if want != fingerprintOfBase {
		t.Errorf("the fingerprint is %s; want %s", want, fingerprintOfBase)
	}
	for name, c := range map[string]struct {
		body string
		same bool
	}{
		"another order":    {`{"spec":{"attempt":7,"image":"web"},"op":"run","id":"web-42","v":1}`, true},
		"white space":      {" {\n\"v\": 1, \"id\":\"web-42\", \"op\":\"r\\u0075n\",\t\"spec\":{\"image\":\"web\",\"attempt\":7.0}}\n", true},
		"after an attempt": {`{"v":1,"id":"web-42","op":"run","attempt":3,"refused":[{"node":"win-1"}],"spec":{"image":"web","attempt":7}}`, true},
		"another image":    {`{"v":1,"id":"web-42","op":"run","spec":{"image":"web:2","attempt":7}}`, false},
		"attempt deeper":   {`{"v":1,"id":"web-42","op":"run","spec":{"image":"web"}}`, false},
		"an unknown field": {`{"v":1,"id":"web-42","op":"run","spec":{"image":"web","attempt":7},"x":1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := messages.Fingerprint([]byte(c.body))
			if err != nil || (got == want) != c.same {
				t.Errorf("%s, %v; want the same: %t", got, err, c.same)
			}
		})
	}
	for _, bad := range []string{``, `[]`, `null`, `{"id":"a","id":"b"}`, `{"id":`} {
		if sum, err := messages.Fingerprint([]byte(bad)); err == nil || messages.AsError(err).Code != messages.CodeMalformed {
			t.Errorf("%s has the fingerprint %s, %v; want malformed", bad, sum, err)
		}
	}
}

const fingerprintOfBase = "d0095bae819aac8acab227b60a0963fca301cd0ae58eb0a1c36dea9833e28d1e"

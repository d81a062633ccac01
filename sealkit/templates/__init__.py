"""Text templates with the semantics of Go's text/template: pure, and safe to give secrets to.

`template.parse` reads a text without values, `Template.render` fills it in. The subset is what users
of Bitnami Sealed Secrets and External Secrets write: fields, variables, pipelines, `if`, `with`,
`range`, `define`, `block`, `template`, comments, trim markers, Go's built-in functions, and those
functions of sprig that give the same result each time and reach nothing outside (`functions`).

A template may be hostile: `limits` bounds what it costs. Its values are secrets: errors name a
place, a function and kinds, never a value, nor text of the template apart from names of fields.

Where this differs from Go and sprig, on purpose (the cases are in tests, with what Go answers):

| Go, sprig | here | cases |
| --- | --- | --- |
| unknown templates, surplus arguments, `nil` in front and unknown variables fail when run | when parsed | unused-template unused-count unused-argument unused-nil unused-variable |
| a pipe may end in a pipe character | refused | pipe-at-end |
| variables may be declared in parentheses and in `template` | refused | declaration-in-parentheses declaration-in-template |
| imaginary numbers, fractions in hexadecimal digits | refused | imaginary hex-fraction |
| `printf` writes a complaint (`%!d(…)`) with the value in it | refused | printf-wrong-verb printf-wrong-string printf-nil-string printf-extra printf-too-few printf-unknown-verb printf-unfinished |
| `printf` knows Go's types and syntax, `#`, ASCII quotes, argument numbers, `*` | refused | printf-type printf-go-syntax printf-alternative printf-ascii printf-index printf-star |
| `printf` knows more flags and verbs for strings and whole numbers | refused | printf-zero-string printf-precision-whole printf-spaced-hex printf-quoted-character printf-hex-fraction printf-wide |
| `b64dec` gives its complaint as the value | refused | b64dec-complaint |
| `nospace` garbles what is not ASCII | keeps it | nospace-not-ascii |
| sprig's `slice` hides Go's and takes lists only, converts positions, gives nil for no entries | Go's | slice-string slice-empty-list slice-text-position |
| functions for maps refuse the map of values itself, a map of strings | accept it | get-template-map has-key-template-map keys-template-map dig-template-map pick-template-map |
| int64 and int are two types | one, `int` | int64-as-int add-as-int kind-of-int64 |
| a JSON null is no map | an empty one, as a missing one is | null-map |
| functions that change a map, of Go's types, of regular expressions, and others rarely used | left out | set type-of regex sha1 pluck uniq to-decimal index-slice-name |
| `concat` of nothing is a null in JSON | an empty list | concat-nothing |
| JSON may nest 10,000 deep | 32, more is no JSON | deep-json |
| keys and values of a map come in random order | in the order of the keys | (not recorded: random) |
| functions of the environment, clock, network, random numbers, keys | left out | (see the test of the table) |
| Unicode of Go's release | of Python's | (letters newer than either) |

`required` and `toYaml` are Helm's; `toYaml` quotes more than Helm does, any reader gives the same.
"""  # noqa: E501  # a table

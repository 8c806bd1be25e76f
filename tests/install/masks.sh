#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A mask must accept each argument list that its function accepts, in every standard that the
# headers support.
#
# Each mask is called with arguments that contain commas outside of parentheses, and with one
# argument too few and one too many.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

command -v gcc >/dev/null || { echo "no gcc"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
complain()
{
        echo "$1"
        wrong=1
}

sed -nE 's/^[[:space:]]*#[[:space:]]*define[[:space:]]+(belay_[a-z_0-9]+).*/\1/p' \
        include/belay.h include/belay/*.h | sort >"$work/masks"
[ -s "$work/masks" ] || complain "no masks were found"

# Lists each masked function as `NAME|RESULT|TYPE, TYPE, ...', from gcc's list of declarations.
echo '#include <belay.h>' >"$work/all.c"
gcc -DBELAY_NO_PLACES -Iinclude -fsyntax-only -aux-info "$work/list" "$work/all.c"
sed -nE 's/^\/\* include\/.* extern ([^(]*[ *])(belay_[a-z_0-9]+) \((.*)\);.*$/\2|\1|\3/p' \
        "$work/list" | sort -u -t '|' -k 1,1 | join -t '|' - "$work/masks" >"$work/functions"
cut -d '|' -f 1 "$work/functions" | comm -3 - "$work/masks" >"$work/strange"
[ ! -s "$work/strange" ] ||
        complain "masks of no function: $(tr -d '\t' <"$work/strange" | tr '\n' ' ')"

# Writes right.c, few.c, many.c, right.cc, few.cc and many.cc, with one call a line.
awk -F '|' -v work="$work" '
# Splits at the commas that are outside of parentheses.
function split_types(list, types,    count, depth, i, c) {
        split("", types)
        if (list == "void")
                return 0
        count = 1
        for (i = 1; i <= length(list); i++) {
                c = substr(list, i, 1)
                depth += (c == "(") - (c == ")")
                if (c == "," && depth == 0)
                        count++
                else
                        types[count] = types[count] c
        }
        return count
}

function argument(type, language) {
        if (language == "c")
                return "(struct { __typeof__(" type ") first; int second; })" \
                        "{ (__typeof__(" type ")) 0, 0 }.first"
        sub(/_Bool/, "bool", type)
        return "two<__typeof__(" type "), int>{ {}, 0 }.first"
}

function call(file, name, arguments) {
        arguments = name "(" arguments ")"
        print (result ~ /^void *$/ ? arguments ";" : "if (" arguments ") again();") >(work "/" file)
}

BEGIN {
        split("c cc", languages, " ")
        split("right few many", kinds, " ")
        for (l in languages)
                for (k in kinds) {
                        file = work "/" kinds[k] "." languages[l]
                        print "#include <belay.h>" >file
                        if (languages[l] == "cc")
                                print "template <typename First, typename Second> " \
                                        "struct two { First first; Second second; };" >file
                        print "void again(void);\nvoid calls(void);\nvoid calls(void) {" >file
                }
}

{
        name = $1
        result = $2
        count = split_types($3, types)
        variadic = types[count] ~ /\.\.\./
        for (l in languages) {
                all = but_one = ""
                for (i = 1; i <= count; i++) {
                        but_one = all
                        text = argument(i == count && variadic ? "int" : types[i], languages[l])
                        if (i == count - 1 && variadic)
                                text = "\"%d\""
                        all = all (i > 1 ? ", " : "") text
                }
                call("right." languages[l], name, all)
                call("right." languages[l], "(" name ")", all)
                print "{ __typeof__(" name ") *plain = " name "; (void) plain; }" \
                        >(work "/right." languages[l])
                if (count > 0 && !variadic)
                        call("few." languages[l], name, but_one)
                if (!variadic)
                        call("many." languages[l], name, all (count > 0 ? ", " : "") "0")
        }
}

END {
        for (l in languages)
                for (k in kinds)
                        print "}" >(work "/" kinds[k] "." languages[l])
}
' "$work/functions"

# takes LANGUAGE COMPILER...: the right calls must compile, and each line of the wrong ones must be
# refused
takes()
{
        local language=$1 kind places
        shift

        command -v "$1" >/dev/null || return 0
        set -- "$@" -pedantic-errors -Wall -Wextra -Werror -Iinclude -fsyntax-only
        for places in -DPLACES -DBELAY_NO_PLACES; do
                "$@" $places "$work/right.$language" || complain "$* $places"
        done
        for kind in few many; do
                ! "$@" "$work/$kind.$language" 2>"$work/errors" ||
                        complain "$*: takes too $kind arguments"
                # gcc does not always name the line in which a macro was expanded. In that case it
                # names the function.
                grep -nE '^(if \()?belay_' "$work/$kind.$language" >"$work/calls"
                while IFS=: read -r line call; do
                        [[ $call =~ belay_[a-z_0-9]+ ]]
                        function=${BASH_REMATCH[0]}
                        grep -qE "/$kind\.$language:$line:|error: .*\<${function}_placed\>" \
                                "$work/errors" ||
                                complain "$*: takes too $kind arguments: $call"
                done <"$work/calls"
        done
}

takes c gcc -std=c11
takes c clang -std=c11 -ferror-limit=0
for standard in c++17 c++20; do
        takes cc g++ -std=$standard
        takes cc clang++ -std=$standard -ferror-limit=0
done

exit $wrong

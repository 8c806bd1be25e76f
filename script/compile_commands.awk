# SPDX-License-Identifier: MIT
#
# Prints a compilation database (JSON). The variable `directory' is that of the build. An argument
# that begins with an equals sign is the compiler and its flags; the others are sources.
function json(text) {
        gsub(/[\\"]/, "\\\\&", text)
        return "\"" text "\""
}
BEGIN {
        printf "["
        for (i = 1; i < ARGC; i++) {
                if (ARGV[i] ~ /^=/) {
                        command = substr(ARGV[i], 2)
                        continue
                }
                printf "%s\n{ \"directory\": %s, \"file\": %s, \"command\": %s }", separator,
                        json(directory), json(ARGV[i]), json(command " -c " ARGV[i])
                separator = ","
        }
        print "\n]"
}

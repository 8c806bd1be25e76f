// SPDX-License-Identifier: MIT
// Empty: the compiler takes functions without a body, as main.go's linknames
// are, only in a package that has an assembly file.

/* SPDX-License-Identifier: MIT */
/*
 * Options: structs that begin with their own size.
 *
 * The size lets a program that was built against an older header go on working. The library takes
 * members that the program does not know as zero, and ignores members that it does not know itself.
 * Zero is the default of every member. BELAY_OPTIONS makes such a struct in place:
 *
 *     belay_spawn_with(fn, arg,
 *                      BELAY_OPTIONS(belay_spawn_options, .name = "reader", .destroy = free))
 *
 * In C++ the macro works from C++17 on, if the call names the members in the order in which the
 * struct declares them. It makes an object of the type belay_options<belay_spawn_options>, which
 * converts to a pointer to its options. The pointer is valid for as long as the object exists. The
 * object exists until the call returns, or until the scope of a variable that holds it ends. A
 * program may also fill such an object itself, in any order:
 *
 *     belay_options<belay_spawn_options> options;
 *     options->destroy = free;
 *     options->name = "reader";
 *     belay_spawn_with(fn, arg, options);
 */
#ifndef BELAY_OPTIONS_H
#define BELAY_OPTIONS_H

#include <stddef.h>

#ifndef __cplusplus
/* A pointer to options, with size and given members set, valid in the enclosing block. */
#define BELAY_OPTIONS(type, ...) (&(type) { .size = sizeof(type), __VA_ARGS__ })
#else
/*
 * Designated initializers are an extension in C++17, and g++ warns about each member that they
 * leave out. Compilers give neither warning for the expansion of a macro from a system header.
 */
#pragma GCC system_header

/* Lets clang warn about a pointer to options that outlives its object. */
#if defined(__clang__) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define BELAY_WITHIN_LIFETIME [[clang::lifetimebound]]
#endif
#endif
#ifndef BELAY_WITHIN_LIFETIME
#define BELAY_WITHIN_LIFETIME
#endif

extern "C++" {

/* An object with options. The constructor sets their size, and all other members to zero. */
template <typename Type> struct belay_options {
        belay_options() : options() { options.size = sizeof(Type); }
        explicit belay_options(const Type &from) : options(from) {}

        Type *operator->() { return &options; }
        operator const Type *() const BELAY_WITHIN_LIFETIME { return &options; }

private:
        Type options;
};

/* Makes an object of options, for BELAY_OPTIONS. */
template <typename Type> belay_options<Type> belay_options_of(const Type &from) {
        return belay_options<Type>(from);
}
}

/* An object with options of a type, with its size and the given members set. */
#define BELAY_OPTIONS(type, ...) \
        belay_options_of(__extension__ type { .size = sizeof(type), __VA_ARGS__ })
#endif
#endif

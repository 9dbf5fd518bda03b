/* SPDX-License-Identifier: MIT */
/*
 * Error numbers: Linux's generic errno values. Functions return them negated.
 * They are part of the interface and never change.
 */
#ifndef PCIVISOR_ERRNO_H
#define PCIVISOR_ERRNO_H

/* X(name, value, meaning) */
#define PCV_ERRORS(X)                                                          \
    X(EPERM, 1, "not permitted")                                               \
    X(ENOENT, 2, "nothing there")                                              \
    X(EIO, 5, "the host could not do it")                                      \
    X(EAGAIN, 11, "not yet, try again")                                        \
    X(ENOMEM, 12, "out of memory")                                             \
    X(EFAULT, 14, "bad address")                                               \
    X(EBUSY, 16, "in use")                                                     \
    X(EEXIST, 17, "already there")                                             \
    X(EXDEV, 18, "would split an isolation group")                             \
    X(ENODEV, 19, "no such device")                                            \
    X(EINVAL, 22, "invalid argument")                                          \
    X(ENOSPC, 28, "full")                                                      \
    X(ERANGE, 34, "cuts something in two")                                     \
    X(ENOSYS, 38, "the host does not provide it")                              \
    X(ELOOP, 40, "the topology is damaged: it loops")                          \
    X(EOVERFLOW, 75, "a count is full")                                        \
    X(ERESTART, 85, "not finished, call again")                                \
    X(EOPNOTSUPP, 95, "not supported")

#define PCV_ERRNO_ENUM(name, value, meaning) PCV_##name = (value),
enum pcv_errno { PCV_ERRORS(PCV_ERRNO_ENUM) };
#undef PCV_ERRNO_ENUM

/**
 * The name of an error number, for people: "EBUSY".
 *
 * @error  an error number, negated or not
 *
 * Returns a constant string, "E?" for a number that pcivisor does not use.
 * Context: any. Locking: none.
 */
const char *pcv_errno_name(int error);

/**
 * What an error number means, in a few words: "in use".
 *
 * Context: any. Locking: none. The string is constant.
 */
const char *pcv_errno_meaning(int error);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The machines that the option model=NAME can name: text of lspci -vvvxxxx, as
 * it stands in examples/hosts/. To add one is one line at the end.
 *
 * Three sections, each in order: the texts, the names, and the table of
 * struct capture (captures.h).
 */
    .macro capture name:req, file:req
    .section .rodata.captures.text, "a"
1:  .incbin "\file"
2:
    .section .rodata.captures.names, "a"
3:  .asciz  "\name"
    .section .rodata.captures.table, "a"
    .quad   3b, 1b, 2b - 1b
    .endm

    .section .rodata.captures.table, "a"
    .balign 8
    .global captures
captures:
    capture "q35", "q35.txt"
    capture "q35-roots", "q35-roots.txt"
    capture "virt", "virt.txt"
    .quad   0, 0, 0

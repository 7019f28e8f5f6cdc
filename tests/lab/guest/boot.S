/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boot.S - from QEMU's PVH entry to 64-bit C
 *
 * QEMU finds the entry in the ELF note XEN_ELFNOTE_PHYS32_ENTRY (18) and jumps there in 32-bit protected mode with
 * paging off and the address of struct hvm_start_info in ebx (Xen docs/misc/pvh.pandoc). The page tables are
 * laid out by the assembler: the first 4 GiB, identity mapped by 2 MiB pages. mmu.c adds what lies above.
 */
	.section .note.pvh, "a", @note
	.balign	4
	.long	4		/* length of the name */
	.long	8		/* length of the value: QEMU reads 8 bytes from a 64-bit ELF */
	.long	18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	start32

	.code32
	.section .text.boot, "ax", @progbits
	.globl	start32
start32:
	cli
	cld
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$0x20, %eax		/* CR4.PAE */
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x100, %eax		/* EFER.LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax	/* CR0.PG, CR0.PE */
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$0x08, $start64

	.code64
start64:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	shrl	$3, %ecx
	xorl	%eax, %eax
	rep	stosq
	movl	$stack_top, %esp
	movl	%ebx, %edi		/* first argument of guest_main(): struct hvm_start_info */
	xorl	%ebp, %ebp
	call	guest_main
1:	cli
	hlt
	jmp	1b

/*
 * One stub for each of the CPU's 32 exceptions: push the vector (and a zero where the CPU pushes no error code) and
 * call exception(), which does not come back. Each stub is padded to 16 bytes.
 */
	.globl	exception_stubs
	.balign	16
exception_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception_common
	.set	vector, vector + 1
	.endr

exception_common:
	movq	(%rsp), %rdi		/* vector */
	movq	8(%rsp), %rsi		/* error code */
	movq	16(%rsp), %rdx		/* rip */
	movq	%cr2, %rcx
	andq	$-16, %rsp
	call	exception
	ud2

	.section .data
	.balign	16
gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf92000000ffff	/* 0x10: data */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.balign	4096
	.globl	boot_pml4
boot_pml4:
	.quad	boot_pdpt + 3		/* present, writable */
	.fill	511, 8, 0
boot_pdpt:
	.quad	boot_pd + 3
	.quad	boot_pd + 0x1003
	.quad	boot_pd + 0x2003
	.quad	boot_pd + 0x3003
	.fill	508, 8, 0
boot_pd:
	.set	page, 0
	.rept	2048
	.quad	(page << 21) + 0x83	/* present, writable, 2 MiB */
	.set	page, page + 1
	.endr

	.section .bss
	.balign	16
	.skip	16384
stack_top:

	.section .note.GNU-stack, "", @progbits

#include "http/page.h"

/* The assembler reads the file; the Makefile knows that this object depends on it. */
__asm__(".pushsection .rodata\n.globl page_html\npage_html: .incbin \"http/page.html\"\n"
        "page_html_end: .byte 0\n.popsection\n");

extern const char page_html_end[];

size_t page_len(void)
{
    return (size_t)(page_html_end - page_html);
}

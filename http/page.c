#include "http/page.h"

#include <string.h>

/* The assembler reads the file; the Makefile knows that this object depends on it. */
__asm__(".pushsection .rodata\n.globl page_html\npage_html: .incbin \"http/page.html\"\n"
        ".byte 0\n.popsection\n");

size_t page_len(void)
{
    return strlen(page_html);
}

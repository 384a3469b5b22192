/* page.h: the page for people, http/page.html, carried in the program. Static, any thread. */
#ifndef HTTP_PAGE_H
#define HTTP_PAGE_H

#include <stddef.h>

extern const char page_html[];
size_t page_len(void);

#endif

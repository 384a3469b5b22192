#include "scoring/parts.h"

#include <stdlib.h>

void category_texts_free(struct category_texts *categories, size_t count)
{
    for (size_t i = 0; categories && i < count; i++) {
        for (size_t k = 0; k < categories[i].count; k++)
            free(categories[i].items[k]);
        free(categories[i].items);
    }
    free(categories);
}

void model_parts_release(struct model_parts *p)
{
    for (size_t i = 0; p->names && i < p->feature_count; i++)
        free(p->names[i]);
    free(p->names);
    category_texts_free(p->categories, p->feature_count);
    trees_free(p->trees);
    linear_free(p->linear);
    transform_free(p->transform);
    free(p->link.program);
    *p = (struct model_parts){0};
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types of the running kernel, from its BTF.
 */
#ifndef UCV_COMPAT_BTF_H
#define UCV_COMPAT_BTF_H

#include <linux/types.h>

struct ucv_btf;

/**
 * struct ucv_btf_member - location of a structure member
 * @offset: bytes from the start of the structure
 * @size: bytes
 * @tag: name of its type or, for a pointer, of the type it points to
 */
struct ucv_btf_member {
	u32 offset;
	u32 size;
	const char *tag;
};

struct ucv_btf *ucv_btf_open(void);
void ucv_btf_close(struct ucv_btf *btf);
const char *ucv_btf_trouble(void);
int ucv_btf_enumerator(const struct ucv_btf *btf, const char *enum_name,
		       u32 nth, const char **name, s64 *value);
int ucv_btf_member(const struct ucv_btf *btf, const char *struct_name,
		   const char *member, struct ucv_btf_member *found);
int ucv_btf_expect(const struct ucv_btf *btf, const char *struct_name,
		   const char *member, u32 offset);
int ucv_btf_expect_size(const struct ucv_btf *btf, const char *struct_name, u32 size);
int ucv_btf_expect_function(const struct ucv_btf *btf, const char *name,
			    const char * const *tags, u32 nr);

/* Check a public structure's member offset, and its size, against the headers. */
#define UCV_BTF_EXPECT(btf, type, member) \
	ucv_btf_expect(btf, #type, #member, offsetof(struct type, member))
#define UCV_BTF_EXPECT_SIZE(btf, type) \
	ucv_btf_expect_size(btf, #type, sizeof(struct type))

#endif

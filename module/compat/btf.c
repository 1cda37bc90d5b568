// SPDX-License-Identifier: GPL-2.0
/*
 * Types of the running kernel: a reader for the BTF in its image (CONFIG_DEBUG_INFO_BTF).
 * Used at load only.
 *
 * The image is mapped read-only and permanently, so no lock is needed. Every offset in it
 * is checked all the same: a bad one must not cause a read out of bounds. What follows a
 * type of unknown kind cannot be located, so one such type makes all of the BTF unusable,
 * as if the kernel had none.
 */
#include <uapi/linux/btf.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat/btf.h"
#include "compat/symbols.h"

/* How deep unnamed members, and chains of typedefs and qualifiers, may nest. */
#define UCV_BTF_DEPTH	16

/*
 * BTF kinds by number, and fields as wide as in the newest format. Older kernels' headers
 * lack enumerators, and their macros truncate a newer kind to the number of an older one.
 * In older formats the added bits are zero.
 */
#define UCV_BTF_KIND(info)	(((info) >> 24) & 0x7f)
#define UCV_BTF_VLEN(info)	((info) & 0xffffff)

#define UCV_BTF_KIND_FLOAT	16
#define UCV_BTF_KIND_DECL_TAG	17
#define UCV_BTF_KIND_TYPE_TAG	18
#define UCV_BTF_KIND_ENUM64	19

struct ucv_btf {
	const void *types;
	u32 types_len;
	const char *strings;
	u32 strings_len;
	u32 nr;
	u32 *offset;
};

/* Why the BTF that is present is unusable, for the log. */
static char ucv_trouble[80];

/* Bytes that follow struct btf_type for a type of this kind; -1 if unknown. */
static int ucv_btf_tail(const struct btf_type *type)
{
	u32 vlen = UCV_BTF_VLEN(type->info);

	switch (UCV_BTF_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case UCV_BTF_KIND_DECL_TAG:
		return sizeof(u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	case UCV_BTF_KIND_ENUM64:
		return vlen * 3 * sizeof(u32);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case UCV_BTF_KIND_FLOAT:
	case UCV_BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

/* Count the types and, if btf->offset is allocated, record where each begins. */
static int ucv_btf_index(struct ucv_btf *btf)
{
	u32 at = 0, nr = 1; /* type 0 is void and has no record */

	while (at < btf->types_len) {
		const struct btf_type *type = btf->types + at;
		int tail;

		if (btf->types_len - at < sizeof(*type))
			return -EINVAL;
		tail = ucv_btf_tail(type);
		if (tail < 0) {
			snprintf(ucv_trouble, sizeof(ucv_trouble),
				 "type %u in the kernel's BTF has unsupported kind %u",
				 nr, UCV_BTF_KIND(type->info));
			return -EINVAL;
		}
		if (tail > btf->types_len - at - sizeof(*type))
			return -EINVAL;
		if (btf->offset)
			btf->offset[nr] = at;
		nr++;
		at += sizeof(*type) + tail;
	}
	btf->nr = nr;
	return 0;
}

static int ucv_btf_map(struct ucv_btf *btf)
{
	const void *start = ucv_symbol_optional("__start_BTF");
	const void *stop = ucv_symbol_optional("__stop_BTF");
	const struct btf_header *header = start;
	size_t size, body;

	if (!start || !stop || stop <= start)
		return -ENOENT;
	size = stop - start;
	if (size < sizeof(*header) || header->magic != BTF_MAGIC ||
	    header->version != BTF_VERSION || header->hdr_len > size)
		return -EINVAL;
	body = size - header->hdr_len;
	if (header->type_off > body || header->type_len > body - header->type_off ||
	    header->str_off > body || header->str_len > body - header->str_off)
		return -EINVAL;

	btf->types = start + header->hdr_len + header->type_off;
	btf->types_len = header->type_len;
	btf->strings = start + header->hdr_len + header->str_off;
	btf->strings_len = header->str_len;
	if (!btf->strings_len || btf->strings[btf->strings_len - 1])
		return -EINVAL;
	return 0;
}

/**
 * ucv_btf_open() - prepare to look up types
 *
 * Context: process context, after ucv_symbols_init(). Sleeps.
 * Return: a handle for ucv_btf_close(); NULL if the kernel has no BTF, or an
 *	unsupported one, see ucv_btf_trouble(); -ENOMEM
 */
struct ucv_btf *ucv_btf_open(void)
{
	struct ucv_btf *btf;
	int ret;

	btf = kzalloc(sizeof(*btf), GFP_KERNEL);
	if (!btf)
		return ERR_PTR(-ENOMEM);
	ret = ucv_btf_map(btf);
	if (!ret)
		ret = ucv_btf_index(btf);
	if (ret)
		goto fail;

	btf->offset = kvmalloc_array(btf->nr, sizeof(*btf->offset), GFP_KERNEL);
	ret = btf->offset ? ucv_btf_index(btf) : -ENOMEM;
	if (ret)
		goto fail;
	return btf;

fail:
	ucv_btf_close(btf);
	if (ret == -EINVAL && !ucv_trouble[0])
		strscpy(ucv_trouble, "the kernel's BTF is malformed", sizeof(ucv_trouble));
	return ret == -ENOMEM ? ERR_PTR(ret) : NULL;
}

/**
 * ucv_btf_trouble() - why ucv_btf_open() cannot use the BTF that is present
 *
 * Return: a sentence without its full stop; NULL if there is no BTF, or it is usable
 */
const char *ucv_btf_trouble(void)
{
	return ucv_trouble[0] ? ucv_trouble : NULL;
}

/**
 * ucv_btf_close() - undo ucv_btf_open()
 * @btf: what ucv_btf_open() returned, or NULL, or an error pointer
 *
 * Names that were returned stay valid: they are part of the kernel's image.
 *
 * Context: process context. May sleep.
 */
void ucv_btf_close(struct ucv_btf *btf)
{
	if (IS_ERR_OR_NULL(btf))
		return;
	kvfree(btf->offset);
	kfree(btf);
}

static const char *ucv_btf_name(const struct ucv_btf *btf, u32 offset)
{
	return offset < btf->strings_len ? btf->strings + offset : "";
}

static const struct btf_type *ucv_btf_type(const struct ucv_btf *btf, u32 id)
{
	return id && id < btf->nr ? btf->types + btf->offset[id] : NULL;
}

static const struct btf_type *ucv_btf_find(const struct ucv_btf *btf, u32 kind,
					   const char *name)
{
	u32 id;

	for (id = 1; id < btf->nr; id++) {
		const struct btf_type *type = ucv_btf_type(btf, id);

		if (UCV_BTF_KIND(type->info) == kind &&
		    !strcmp(ucv_btf_name(btf, type->name_off), name))
			return type;
	}
	return NULL;
}

/**
 * ucv_btf_enumerator() - look up a constant of an enum
 * @btf: from ucv_btf_open()
 * @enum_name: the enum's tag
 * @nth: position of the constant in order of declaration, from 0
 * @name: out: the constant's name
 * @value: out: its value
 *
 * Return: 0, -ENOENT if there is no such enum, -ERANGE if it has no more constants
 */
int ucv_btf_enumerator(const struct ucv_btf *btf, const char *enum_name,
		       u32 nth, const char **name, s64 *value)
{
	const struct btf_type *type = ucv_btf_find(btf, BTF_KIND_ENUM, enum_name);
	const struct btf_enum *constant;

	if (!type)
		return -ENOENT;
	if (nth >= UCV_BTF_VLEN(type->info))
		return -ERANGE;
	constant = (const struct btf_enum *)(type + 1) + nth;
	*name = ucv_btf_name(btf, constant->name_off);
	*value = constant->val;
	return 0;
}

/* Size of a type in bytes; 0 if it has none, or is nested too deep. */
static u32 ucv_btf_sizeof(const struct ucv_btf *btf, u32 id)
{
	u32 nelems = 1;
	int depth;

	for (depth = 0; depth < UCV_BTF_DEPTH; depth++) {
		const struct btf_type *type = ucv_btf_type(btf, id);
		const struct btf_array *array;

		if (!type)
			return 0;
		switch (UCV_BTF_KIND(type->info)) {
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case UCV_BTF_KIND_ENUM64:
			return nelems * type->size;
		case BTF_KIND_PTR:
			return nelems * sizeof(void *);
		case BTF_KIND_ARRAY:
			array = (const struct btf_array *)(type + 1);
			nelems *= array->nelems;
			id = array->type;
			break;
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case UCV_BTF_KIND_TYPE_TAG:
			id = type->type;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

/*
 * The name of a type, or of what it points to: a structure's tag, or the name of a typedef
 * or integer. Empty if it has none, or is nested too deep.
 */
static const char *ucv_btf_tag(const struct ucv_btf *btf, u32 id)
{
	int depth;

	for (depth = 0; depth < UCV_BTF_DEPTH; depth++) {
		const struct btf_type *type = ucv_btf_type(btf, id);

		if (!type)
			return ""; /* void, or an invalid ID */
		switch (UCV_BTF_KIND(type->info)) {
		case BTF_KIND_PTR:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case UCV_BTF_KIND_TYPE_TAG:
			id = type->type;
			break;
		default:
			return ucv_btf_name(btf, type->name_off);
		}
	}
	return "";
}

static int ucv_btf_search(const struct ucv_btf *btf, const struct btf_type *type,
			  const char *name, u32 base, int depth,
			  struct ucv_btf_member *found);

/* Search an unnamed member that is itself a structure or union. */
static int ucv_btf_descend(const struct ucv_btf *btf, u32 id, const char *name,
			   u32 base, int depth, struct ucv_btf_member *found)
{
	const struct btf_type *type = ucv_btf_type(btf, id);

	if (!type || depth >= UCV_BTF_DEPTH)
		return -ENOENT;
	if (UCV_BTF_KIND(type->info) != BTF_KIND_STRUCT &&
	    UCV_BTF_KIND(type->info) != BTF_KIND_UNION)
		return -ENOENT;
	return ucv_btf_search(btf, type, name, base, depth + 1, found);
}

static int ucv_btf_search(const struct ucv_btf *btf, const struct btf_type *type,
			  const char *name, u32 base, int depth,
			  struct ucv_btf_member *found)
{
	const struct btf_member *member = (const struct btf_member *)(type + 1);
	bool has_bitfields = BTF_INFO_KFLAG(type->info);
	u32 i;

	for (i = 0; i < UCV_BTF_VLEN(type->info); i++, member++) {
		const char *this = ucv_btf_name(btf, member->name_off);
		u32 bits = member->offset;

		if (has_bitfields) {
			if (BTF_MEMBER_BITFIELD_SIZE(bits))
				continue;
			bits = BTF_MEMBER_BIT_OFFSET(bits);
		}
		if (!*this) {
			if (!ucv_btf_descend(btf, member->type, name,
					     base + bits / 8, depth, found))
				return 0;
			continue;
		}
		if (strcmp(this, name))
			continue;
		found->offset = base + bits / 8;
		found->size = ucv_btf_sizeof(btf, member->type);
		found->tag = ucv_btf_tag(btf, member->type);
		return 0;
	}
	return -ENOENT;
}

/**
 * ucv_btf_member() - locate a member of a structure
 * @btf: from ucv_btf_open()
 * @struct_name: the structure's tag
 * @member: the member's name, also in an unnamed structure or union
 * @found: out: its location
 *
 * Return: 0, or -ENOENT if there is no such structure or member, or it is a
 *	bit field
 */
int ucv_btf_member(const struct ucv_btf *btf, const char *struct_name,
		   const char *member, struct ucv_btf_member *found)
{
	const struct btf_type *type = ucv_btf_find(btf, BTF_KIND_STRUCT, struct_name);

	if (!type)
		return -ENOENT;
	return ucv_btf_search(btf, type, member, 0, 0, found);
}

/**
 * ucv_btf_expect() - check the offset of a member against the headers
 * @btf: from ucv_btf_open()
 * @struct_name: the structure's tag
 * @member: the member's name
 * @offset: the offset in the headers, in bytes
 *
 * Return: 0, or -ENOEXEC after a line in the log if the running kernel differs
 */
int ucv_btf_expect(const struct ucv_btf *btf, const char *struct_name,
		   const char *member, u32 offset)
{
	struct ucv_btf_member found;

	if (ucv_btf_member(btf, struct_name, member, &found)) {
		pr_err("%s.%s does not exist in this kernel; rebuild the module for it\n",
		       struct_name, member);
		return -ENOEXEC;
	}
	if (found.offset == offset)
		return 0;
	pr_err("%s.%s is at offset %u in this kernel, not %u; rebuild the module for it\n",
	       struct_name, member, found.offset, offset);
	return -ENOEXEC;
}

/**
 * ucv_btf_expect_size() - check the size of a structure against the headers
 * @btf: from ucv_btf_open()
 * @struct_name: the structure's tag
 * @size: the size in the headers, in bytes
 *
 * Return: 0, or -ENOEXEC after a line in the log if the running kernel differs
 */
int ucv_btf_expect_size(const struct ucv_btf *btf, const char *struct_name, u32 size)
{
	const struct btf_type *type = ucv_btf_find(btf, BTF_KIND_STRUCT, struct_name);

	if (type && type->size == size)
		return 0;
	pr_err("struct %s has %u bytes in this kernel, not %u; rebuild the module for it\n",
	       struct_name, type ? type->size : 0, size);
	return -ENOEXEC;
}

/**
 * ucv_btf_expect_function() - check the arguments and return type of a function
 * @btf: from ucv_btf_open()
 * @name: the function's name
 * @tags: its return type and each of its arguments, as in struct ucv_btf_member.tag
 * @nr: number of @tags
 *
 * If BTF does not describe a function, the compiler may have dropped an argument.
 *
 * Return: 0; -ENOENT if this kernel's BTF does not describe it, -ENOEXEC if it differs
 */
int ucv_btf_expect_function(const struct ucv_btf *btf, const char *name,
			    const char * const *tags, u32 nr)
{
	const struct btf_type *type = ucv_btf_find(btf, BTF_KIND_FUNC, name);
	const struct btf_param *param;
	u32 i;

	if (!type)
		return -ENOENT;
	type = ucv_btf_type(btf, type->type);
	if (!type || UCV_BTF_KIND(type->info) != BTF_KIND_FUNC_PROTO)
		return -ENOENT;
	if (UCV_BTF_VLEN(type->info) != nr - 1 || strcmp(ucv_btf_tag(btf, type->type), tags[0]))
		return -ENOEXEC;
	param = (const struct btf_param *)(type + 1);
	for (i = 1; i < nr; i++, param++)
		if (strcmp(ucv_btf_tag(btf, param->type), tags[i]))
			return -ENOEXEC;
	return 0;
}

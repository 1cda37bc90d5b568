# SPDX-License-Identifier: GPL-2.0
#
# Targets for people, see make help. kbuild reads module/Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
VERSION := $(shell sed -n 's/^.define UCV_MODULE_VERSION.*"\(.*\)"/\1/p' module/version.h)
RELEASE = $(or $(shell $(MAKE) -s -C $(KDIR) kernelrelease 2>/dev/null),$(shell uname -r))
SRCDIR := $(DESTDIR)/usr/src/ucountview-$(VERSION)
DENIALS ?= yes
RELEASES ?= bookworm
CONF := /etc/modprobe.d/ucountview.conf
BUILT := .* *.o *.ko *.mod *.mod.c *.order *.symvers features.h

.DEFAULT_GOAL := all
.PHONY: all module tools deps demo check check-debug check-packaging check-releases check-all bench bench-check lint \
	docs deb rpm load unload install uninstall dkms-source dkms-install dkms-remove install-conf uninstall-conf clean help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

all: module tools ## build the module for the running kernel, and the reader

module: ## build the module (KDIR=... for another kernel than the running one)
	@test -e $(KDIR)/Makefile || { echo "ucountview: no kernel headers in $(KDIR): install linux-headers-$$(uname -r)" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR)/module modules

tools: ## build the reader
	$(MAKE) -C tools/ucountview

deps: ## install the packages that the targets below need; they do it themselves, too
	@tools/setup vm lint

demo: deps ## boot a stock kernel in a VM and play a story that ends in "no space left on device"
	@tools/demo/demo

check: deps ## run all selftests in VMs, on four series of kernels
	@tools/testvm/check

check-debug: deps ## the same on kernels built with KASAN, lockdep, kmemleak and more
	@tools/testvm/build-kernel -s debug
	@tools/testvm/check -s debug

check-all: deps ## the same for hours, on all listed kernels, and with bugs planted
	@tools/setup foreign
	@tools/testvm/build-kernel -s debug -s more
	@status=0; tools/testvm/check -l -s default -s debug -s more || status=$$?; \
		tools/testvm/mutate || status=$$?; $(MAKE) check-releases || status=$$?; tools/testvm/table -w; \
		tools/monitoring/trial || status=$$?; \
		$(MAKE) check-packaging RELEASES="bookworm trixie" || status=$$?; exit $$status

check-packaging: deps ## the packages: built twice, installed, removed, each in a root of Debian (RELEASES=bookworm)
	@status=0; for release in $(RELEASES); do tools/packaging/check $$release || status=$$?; done; exit $$status

check-releases: deps ## the README's commands on Debian 11 to 13 and sid, booted; containers of their own managers
	@tools/testvm/check release:trixie containers release:bookworm release:bullseye release:sid

bench: deps ## what reading and charging cost, in instructions (tools/bench/bench -h: more of it)
	@tools/bench/bench

bench-check: deps ## has one of a few of these costs grown?
	@tools/bench/check

lint: deps ## checkpatch --strict, coccinelle, sparse, shellcheck, and checks of this tree
	@tools/lint/lint

docs: ## build HTML of Documentation/, the manual page and a reference of the ABI, and print where it is
	@tools/docs/docs

deb: ## build Debian packages of the module (dkms), the reader and the header, and print where they are
	@tools/packaging/deb

rpm: ## the same for RPM
	@tools/packaging/rpm

load: module ## build the module and load it on this machine
	insmod module/ucountview.ko

unload: ## unload it
	rmmod ucountview

install: all install-conf ## install the module for the running kernel, and the reader
	$(MAKE) -C $(KDIR) M=$(CURDIR)/module modules_install
	$(MAKE) -C tools/ucountview install

uninstall: uninstall-conf ## remove what install has installed
	rm -f $(foreach dir,updates extra,$(wildcard \
		$(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/$(dir)/ucountview.ko*))
	-depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(RELEASE)
	$(MAKE) -C tools/ucountview uninstall

dkms-source: # the part of the sources that dkms builds, for dkms-install and the packages
	install -d $(SRCDIR)
	tar -c $(BUILT:%=--exclude='%') Kbuild dkms.conf include module | tar -x -C $(SRCDIR)

dkms-install: install-conf ## install the module by dkms, for every kernel of this machine
	@command -v dkms >/dev/null || { echo "ucountview: dkms is missing: install the package dkms" >&2; exit 1; }
	$(MAKE) dkms-source
	dkms install ucountview/$(VERSION)

dkms-remove: uninstall-conf ## remove what dkms-install has installed
	@command -v dkms >/dev/null || { echo "ucountview: dkms is missing: install the package dkms" >&2; exit 1; }
	dkms remove ucountview/$(VERSION) --all
	rm -rf $(SRCDIR)

install-conf: ## have denials recorded from load on (done by both installs; DENIALS=no: not)
	@test $(DENIALS) = no || test -e $(DESTDIR)$(CONF) || { \
		install -D -m 644 tools/modprobe.d/ucountview.conf $(DESTDIR)$(CONF); \
		echo "Denials will be recorded whenever ucountview is loaded, see $(CONF)"; }

uninstall-conf: ## remove that line, unless the file has been edited
	@! cmp -s tools/modprobe.d/ucountview.conf $(DESTDIR)$(CONF) || rm -f $(DESTDIR)$(CONF)

clean: ## remove what was built here
	@if test -e $(KDIR)/Makefile; then $(MAKE) -C $(KDIR) M=$(CURDIR)/module clean; fi
	$(MAKE) -C tools/ucountview clean
	$(MAKE) -C selftests clean

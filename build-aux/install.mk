# Installing, and the release tarball. DESTDIR is put before every path, for packagers.

PREFIX   ?= /usr/local
bindir   ?= $(PREFIX)/bin
libexecdir ?= $(PREFIX)/libexec
datadir  ?= $(PREFIX)/share
mandir   ?= $(datadir)/man
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir  ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d
INSTALL  ?= install

man_pages   := $(wildcard man/*.8)
topic_pages := $(wildcard man/*.7)
helper_target = $(DESTDIR)$(libexecdir)/ocirt
man_target   = $(DESTDIR)$(mandir)/man8
topic_target = $(DESTDIR)$(mandir)/man7
completions := $(foreach p,ocirt ocirt-pod,$(DESTDIR)$(bashcompletiondir)/$p $(DESTDIR)$(zshcompletiondir)/_$p \
               $(DESTDIR)$(fishcompletiondir)/$p.fish)

# Not `install -s`, which strips in place: why a program is written from begin to end says Makefile.
define install_stripped
$(STRIP) -o $(BUILD)/$1.stripped $(BUILD)/$1 && $(INSTALL) -m 755 $(BUILD)/$1.stripped $2/$1 && rm $(BUILD)/$1.stripped

endef

.PHONY: install uninstall dist clean
install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(if $(man_pages),$(man_target)) $(if $(topic_pages),$(topic_target)) $(dir $(completions))
	$(foreach p,$(PROGRAMS),$(call install_stripped,$p,$(DESTDIR)$(bindir)))
	$(foreach l,$(LINKS),ln -sf ocirt-shim $(DESTDIR)$(bindir)/$l$(newline))
	$(if $(HELPERS),$(INSTALL) -d $(helper_target))
	$(foreach p,$(HELPERS),$(call install_stripped,$p,$(helper_target)))
	$(if $(man_pages),$(INSTALL) -m 644 $(man_pages) $(man_target))
	$(if $(topic_pages),$(INSTALL) -m 644 $(topic_pages) $(topic_target))
	$(foreach p,ocirt ocirt-pod,\
	  $(INSTALL) -m 644 completions/$p.bash $(DESTDIR)$(bashcompletiondir)/$p$(newline)\
	  $(INSTALL) -m 644 completions/_$p $(DESTDIR)$(zshcompletiondir)/_$p$(newline)\
	  $(INSTALL) -m 644 completions/$p.fish $(DESTDIR)$(fishcompletiondir)/$p.fish$(newline))

uninstall:
	rm -f $(PROGRAMS:%=$(DESTDIR)$(bindir)/%) $(LINKS:%=$(DESTDIR)$(bindir)/%) $(HELPERS:%=$(helper_target)/%) $(completions) \
	  $(addprefix $(man_target)/,$(notdir $(man_pages))) $(addprefix $(topic_target)/,$(notdir $(topic_pages)))

# The tarball holds what git knows, the generated configure, and the commit that it was made from.
dist_name := ocirt-$(VERSION)
dist:
	@set -e; stage=$$(mktemp -d); trap 'rm -rf "$$stage"' EXIT; tree=$$stage/$(dist_name); \
	mkdir "$$tree"; git -c safe.directory='*' ls-files -z | tar --null -T - -cf - | \
	  tar -xf - -C "$$tree"; \
	sh build-aux/commit-id > "$$stage/commit"; mv "$$stage/commit" "$$tree/build-aux/commit"; \
	(cd "$$tree" && autoreconf -i && rm -rf autom4te.cache configure~); \
	tar --sort=name --owner=0 --group=0 --numeric-owner -C "$$stage" -czf $(dist_name).tar.gz \
	  $(dist_name); echo $(dist_name).tar.gz

clean:
	rm -rf $(BUILD)

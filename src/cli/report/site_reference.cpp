#include "cli/report/site_reference.hpp"

#include <cctype>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "site/load/key_log.hpp"
#include "site/load/reference.hpp"

namespace meridian::cli {
namespace {

constexpr std::string_view kOpening = R"(# site.toml

The file that describes a site. Every data center of the site has the same file. This is all that a small site needs:

```toml
domain = "photos.example"

[[datacenter]]
name = "us-east"
address = "127.1.0.1"
location = "Ashburn"

[[datacenter]]
name = "us-west"
address = "127.2.0.1"
location = "San Jose"

[app]
command = ["node", "server.js"]
health = "/health"
```

`meridian check site.toml` finds every mistake in the file at once, with its line, and what this machine lacks. A key that is
not listed here is a mistake.

- **Paths** are relative to the folder of site.toml.
- A **duration** is a whole number and its unit: `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"7d"`.
- A **size** is a whole number and its unit: `"512KiB"`, `"256MiB"`, `"4GiB"`, `"1TiB"`.
- A **port** is a public port. The ops port of a tier is 10000 above it, the peer port 20000
  ([operations.md](operations.md)).
- An **address block** is an IP prefix such as `"192.0.2.0/24"`, or one address.
- Passwords do not belong in the file: a key that takes one takes `"$NAME"` of an environment variable.

This page is made by `meridian site-reference` from the descriptions beside the code that reads each key. A test compares the
two; `UPDATE_GOLDEN=1 build/release/cli_test --gtest_filter='SiteReference.*'` writes the page again.
)";

// GitHub's anchor of a heading.
std::string Anchor(std::string_view title) {
  std::string anchor;
  for (char letter : title) {
    auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || letter == '_') anchor += static_cast<char>(std::tolower(byte));
  }
  return anchor;
}

std::string Heading(const site::TableReference& table) {
  return table.title.empty() ? "The top of the file" : table.title;
}

std::string Link(const site::TableReference& table) {
  if (table.title.empty()) return "[the top of the file](#the-top-of-the-file)";
  return fmt::format("[`{}`](#{})", table.title, Anchor(table.title));
}

std::string Values(const site::KeyRead& read) {
  if (read.limits.empty()) return read.type;
  return fmt::format("{}: {}", read.type, read.limits);
}

// Puts literals in code quotes; leaves descriptions unchanged.
std::string Default(const site::KeyRead& read) {
  if (!read.fallback) return "required";
  std::string_view text = *read.fallback;
  bool is_value = text.starts_with('"') || text.starts_with('[') || text == "true" ||
                  text == "false" || std::isdigit(static_cast<unsigned char>(text.front())) != 0;
  return is_value && text.find(';') == text.npos ? fmt::format("`{}`", text) : std::string(text);
}

std::string Row(const site::KeyReference& key) {
  return fmt::format("| `{}` | {} | {} | {} |\n", key.read.key, key.sentence, Values(key.read),
                     Default(key.read));
}

}  // namespace

std::string SiteReferencePage(const site::Reference& reference) {
  std::string page(kOpening);
  page += "\n## Tables\n\n";
  for (const site::TableReference& table : reference.tables) {
    page += fmt::format("- {}: {}\n", Link(table), table.sentence);
  }
  for (const site::TableReference& table : reference.tables) {
    page += fmt::format("\n## {}\n\n{}", Heading(table), table.sentence);
    if (!table.limits.empty()) page += fmt::format(" There may be {}.", table.limits);
    if (table.keys.empty()) {
      page += "\n";
      continue;
    }
    page += "\n\n| key | what it sets | values | default |\n|---|---|---|---|\n";
    for (const site::KeyReference& key : table.keys) page += Row(key);
  }
  return page;
}

}  // namespace meridian::cli

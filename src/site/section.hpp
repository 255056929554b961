// Lets a tier add its own table to site.toml without site/ knowing the keys. The tier exports a
// Section. The composition root passes all sections to Load, so that one pass finds every error in
// the file. Afterwards the tier finds its settings in the Site by their type.
//
//   // edge/config.hpp
//   struct Config { Duration collapse_wait; };
//   site::Section ConfigSection();
//   // edge/config.cpp
//   constexpr site::KeyDescription kKeys[] = {
//       {.table = "edge", .sentence = "The edge: ..."},
//       {.table = "edge", .key = "collapse_wait", .sentence = "How long ..."}};
//   Config ParseConfig(site::TableReader& reader, const site::Site&) { ... }
//   site::Section ConfigSection() { return site::Section::Of<Config>("edge", &ParseConfig, kKeys);
//   }
//   // edge/server.cpp
//   const Config& config = site.sections.Get<Config>();
//
// The settings have the tier's own type. The tier's parse function makes them; then they are
// immutable and owned by the Site (shared among its copies).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <typeindex>
#include <utility>

#include "base/check.hpp"
#include "site/key_description.hpp"

namespace meridian::site {

struct Site;
class TableReader;

class Section {
 public:
  // `table` is the name of a table at the top of the file. Load calls `parse` once, also when the
  // file has no such table. The Site argument is complete except for the sections; where the file
  // has errors, values of the Site may be wrong. The table may also have keys of site/ (`port`,
  // `external`). `keys` describes each key of the table, and outlives the Section.
  template <class Settings>
  static Section Of(std::string table, Settings (*parse)(TableReader&, const Site&),
                    std::span<const KeyDescription> keys = {}) {
    return Section(std::move(table), typeid(Settings), keys,
                   [parse](TableReader& reader, const Site& site) -> std::shared_ptr<const void> {
                     return std::make_shared<const Settings>(parse(reader, site));
                   });
  }

  const std::string& table() const { return table_; }
  std::span<const KeyDescription> keys() const { return keys_; }

 private:
  friend class SectionValues;
  using Parse = std::function<std::shared_ptr<const void>(TableReader&, const Site&)>;
  Section(std::string table, std::type_index type, std::span<const KeyDescription> keys,
          Parse parse)
      : table_(std::move(table)), type_(type), keys_(keys), parse_(std::move(parse)) {}

  std::string table_;
  std::type_index type_;
  std::span<const KeyDescription> keys_;
  Parse parse_;
};

// The settings of all tiers, by type.
class SectionValues {
 public:
  // The settings of a Section that was passed to Load or Put (CHECK).
  template <class Settings>
  const Settings& Get() const {
    auto found = values_.find(typeid(Settings));
    CHECK(found != values_.end());
    return *static_cast<const Settings*>(found->second.get());
  }

  // For tests and tools that make a Site without a file.
  template <class Settings>
  void Put(Settings settings) {
    values_[typeid(Settings)] = std::make_shared<const Settings>(std::move(settings));
  }

  void Parse(const Section& section, TableReader& reader, const Site& site) {
    values_[section.type_] = section.parse_(reader, site);
  }

 private:
  std::map<std::type_index, std::shared_ptr<const void>> values_;
};

}  // namespace meridian::site

// A table of text for a terminal: columns are as wide as their widest cell, numbers stand to the
// right. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace meridian::cli {

struct TextColumn {
  std::string title;
  bool number = false;
};

class TextTable {
 public:
  explicit TextTable(std::vector<TextColumn> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Control characters are replaced.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // The titles and all rows, each with a newline.
  std::string Text() const;

 private:
  std::string Line(const std::vector<std::string>& cells, const std::vector<size_t>& widths) const;

  std::vector<TextColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace meridian::cli

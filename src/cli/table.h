// Columns for people.
#pragma once

#include <string>
#include <vector>

namespace ocirt::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> titles) { add(std::move(titles)); }
  // As many cells as there are titles.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // One line per row; every column but the last is as wide as its widest cell, and at least twelve
  // characters, with a blank of three between columns.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ocirt::cli

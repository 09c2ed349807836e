// SPDX-License-Identifier: Apache-2.0
#include "control/cli/printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

namespace evenkeel::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Printed(bool color, uint32_t columns, const std::function<void(Printer&)>& print) {
  std::ostringstream out;
  Printer printer(out, color, false, columns);
  print(printer);
  return out.str();
}

TEST(PrinterTest, LetsNoEscapeSequenceThrough) {
  const std::string hostile =
      "\033[31mred\033[0m\n\xc2\x9b"
      "2J";
  const std::string out = Printed(false, 80, [&](Printer& p) {
    p.Put(hostile).End();
    p.Line(hostile);
    p.Hanging(2, {hostile}, hostile);
    p.Table(0, {{{hostile}, {hostile}}, {{"a"}, {"b"}}});
  });
  EXPECT_THAT(out, Not(HasSubstr("\033")));
  EXPECT_THAT(out, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(out, HasSubstr("\\x1b[31mred"));
}

TEST(PrinterTest, ColorsOnlyWhenAsked) {
  const auto print = [](Printer& p) { p.Line("refused", Style::kBad); };
  EXPECT_EQ(Printed(false, 80, print), "refused\n");
  EXPECT_EQ(Printed(true, 80, print), "\033[1;31mrefused\033[0m\n");
}

TEST(PrinterTest, AlignsColumns) {
  EXPECT_EQ(Printed(false, 80,
                    [](Printer& p) {
                      p.Table(2, {{{"NAME"}, {"N", Style::kPlain, true}, {"NOTE"}},
                                  {{"web-1"}, {"12", Style::kPlain, true}, {"new"}},
                                  {{"w"}, {"3", Style::kPlain, true}, {""}}});
                    }),
            "  NAME    N  NOTE\n"
            "  web-1  12  new\n"
            "  w       3\n");
}

TEST(PrinterTest, WrapsTheLastColumn) {
  EXPECT_EQ(Printed(false, 40,
                    [](Printer& p) {
                      p.Table(0, {{{"LB001"}, {"at most 50 % of the slots with three serving"}}});
                    }),
            "LB001  at most 50 % of the slots with\n"
            "       three serving\n");
}

TEST(PrinterTest, HangsIndent) {
  EXPECT_EQ(Printed(false, 40,
                    [](Printer& p) {
                      p.Hanging(2, {"fix"}, "keep at least two of web-1, web-2 and web-3 enabled");
                    }),
            "  fix keep at least two of web-1, web-2\n"
            "      and web-3 enabled\n");
}

}  // namespace
}  // namespace evenkeel::cli

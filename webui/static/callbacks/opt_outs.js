// The list of numbers that want no surveys.

import { revealing } from "./reveal.js";

revealing(document.getElementById("opt-outs"));

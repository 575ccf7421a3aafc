export function hasPixels(selector: string): boolean
export function sidewaysOverflow(): number
export function leastContrast(): number
